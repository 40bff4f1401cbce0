"""Outbound calls of httpx: one for each request that its transports send."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_items, exact_str, get_dict
from functrace.runtime.requests.parts import get_attribute, to_status
from functrace.runtime.requests.patching import (
    around_async,
    replace,
    stored_headers,
    to_text,
)

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Outbound, Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook both transports."""

    def begin(_transport: Any, request: Any) -> Any:
        host, target = _url(get_attribute(request, "url"))
        headers = get_attribute(request, "headers")
        method = to_text(get_attribute(request, "method"))
        outbound = tracker.begin_outbound(method, host, target, stored_headers(headers))
        if outbound is None:
            return None
        pairs = _pairs(request)
        for name, value in outbound.headers:
            raw = name.encode("ascii")
            pairs.append((raw, raw, value.encode("ascii")))
        return outbound, request

    def end(state: tuple[Outbound, Any], response: Any, error: BaseException | None) -> None:
        outbound, request = state
        if outbound.headers:  # the program sees its own headers
            added = {name.encode("ascii") for name, _ in outbound.headers}
            pairs = _pairs(request)
            pairs[:] = [pair for pair in pairs if pair[1] not in added]
        status = -1 if response is None else to_status(get_attribute(response, "status_code"))
        tracker.end_outbound(outbound, status, error)

    replace(module.HTTPTransport, "handle_request", tracker.around(begin, end, begins=True))
    wrap = around_async(tracker.guard(begin, begins=True), tracker.guard(end))
    replace(module.AsyncHTTPTransport, "handle_async_request", wrap)


def _pairs(request: Any) -> list[Any]:
    """Return the headers of a request, as stored."""
    pairs = exact_items(get_dict(get_attribute(request, "headers"))).get("_list")
    return pairs if type(pairs) is list else []


def _url(url: Any) -> tuple[str, str]:
    """Return host and target of a URL, as stored: scheme, userinfo, host, port, path, query."""
    parts: Any = get_attribute(url, "_uri_reference")
    if not issubclass(type(parts), tuple) or tuple.__len__(parts) < 6:
        return "", ""
    host, path, query = (exact_str(tuple.__getitem__(parts, at)) for at in (2, 4, 5))
    return f"[{host}]" if ":" in host else host, f"{path}?{query}" if query else path
