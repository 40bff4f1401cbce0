"""Outbound calls of aiohttp's client: one for each request, redirects included.

A call begins before the connection is made or reused and ends with the headers of the response.
"""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.requests.parts import get_attribute, to_status
from functrace.runtime.requests.patching import around_async, replace
from functrace.runtime.weak_map import WeakIdentityMap

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook connectors, requests or responses."""
    hooks, guard, classes = _hooks_of(tracker), tracker.guard, vars(module)
    if module.__name__ == "aiohttp.connector":
        wrap = around_async(guard(hooks.begin, begins=True), guard(hooks.connected))
        replace(classes["BaseConnector"], "connect", wrap)
        return
    wrap = around_async(guard(hooks.send), guard(hooks.sent))
    for name in ("ClientRequestBase", "ClientRequest"):
        if name in classes:
            replace(classes[name], "send", wrap)
    replace(
        classes["ClientResponse"], "start", around_async(guard(hooks.start), guard(hooks.started))
    )


_shared: list[_Hooks] = []


def _hooks_of(tracker: Tracker) -> _Hooks:
    if not _shared:
        _shared.append(_Hooks(tracker))
    return _shared[0]


class _Hooks:
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._outbounds = WeakIdentityMap()  # by request, then by response

    def begin(self, _connector: Any, request: Any, *_arguments: Any, **_options: Any) -> Any:
        """Begin an outbound call when a connection is requested for it."""
        url: Any = get_attribute(request, "url")
        headers = get_attribute(request, "headers")
        if headers is None:
            return None
        # The classes of URLs and headers are the library's, and in C.
        sent = list(headers.items())
        method = exact_str(get_attribute(request, "method"))
        host = url.raw_host or ""
        host = f"[{host}]" if ":" in host else host
        outbound = self._tracker.begin_outbound(method, host, url.raw_path_qs, sent)
        self._outbounds.put(request, outbound)
        return request

    def connected(self, request: Any, _result: object, error: BaseException | None) -> None:
        """End the outbound call if there is no connection."""
        if error is not None:
            self._tracker.end_outbound(self._outbounds.get(request), -1, error)

    def send(self, request: Any, *_arguments: Any) -> Any:
        """Add headers to a request that is being sent."""
        outbound = self._outbounds.get(request)
        headers: Any = get_attribute(request, "headers")
        if outbound is not None and headers is not None:
            for name, value in outbound.headers:
                headers[name] = value
        return request

    def sent(self, request: Any, response: Any, error: BaseException | None) -> None:
        """Remove these headers, which the program may see."""
        outbound = self._outbounds.get(request)
        if outbound is None:
            return
        headers: Any = get_attribute(request, "headers")
        for name, _ in outbound.headers:
            headers.pop(name, None)
        if error is not None:
            self._tracker.end_outbound(outbound, -1, error)
        elif response is not None:
            self._outbounds.put(response, outbound)

    def start(self, response: Any, *_arguments: Any) -> Any:
        """Return the response whose headers are awaited."""
        return response

    def started(self, response: Any, _result: object, error: BaseException | None) -> None:
        """End the outbound call."""
        status = -1 if error is not None else to_status(get_attribute(response, "status"))
        self._tracker.end_outbound(self._outbounds.get(response), status, error)
