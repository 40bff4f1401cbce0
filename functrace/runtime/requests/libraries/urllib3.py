"""Outbound calls of urllib3, and so of requests: one for each attempt."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.requests.parts import get_attribute, to_status
from functrace.runtime.requests.patching import replace, stored_headers
from functrace.runtime.requests.tracker import reset_sending, set_sending

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Outbound, Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the pool of connections."""

    def begin(
        pool: Any,
        _connection: Any,
        method: Any,
        url: Any,
        _body: Any = None,
        headers: Any = None,
        *_arguments: Any,
        **_options: Any,
    ) -> Any:
        target = exact_str(url)
        sent = stored_headers(headers)
        outbound = tracker.begin_outbound(exact_str(method), _host(pool, target), target, sent)
        return None if outbound is None else (outbound, set_sending(outbound))

    def end(state: tuple[Outbound, Any], response: Any, error: BaseException | None) -> None:
        outbound, token = state
        reset_sending(token)
        status = -1 if response is None else to_status(get_attribute(response, "status"))
        tracker.end_outbound(outbound, status, error)

    wrap = tracker.around(begin, end, begins=True)
    replace(module.HTTPConnectionPool, "_make_request", wrap)


def _host(pool: Any, target: str) -> str:
    if "://" in target and not target.startswith("/"):  # through a proxy
        return target.partition("://")[2].partition("/")[0]
    host = exact_str(get_attribute(pool, "host"))
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
