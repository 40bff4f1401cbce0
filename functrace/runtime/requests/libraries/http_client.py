"""Outbound calls of http.client, and so of urllib.request and xmlrpc.

An outbound call begins when its headers are complete and ends with the response's. Libraries above
that have begun the call get their headers sent.
"""

from __future__ import annotations

from _thread import get_ident

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.requests.parts import NO_CONTEXT, get_attribute, parse_headers, to_status
from functrace.runtime.requests.patching import replace, to_text
from functrace.runtime.requests.tracker import sending
from functrace.runtime.weak_map import WeakIdentityMap

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Outbound, Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the class of connections."""
    hooks = _Hooks(tracker)
    begin = tracker.around(hooks.begin, hooks.sent, begins=True)
    replace(module.HTTPConnection, "endheaders", begin)
    replace(module.HTTPConnection, "getresponse", tracker.around(hooks.wait, hooks.end))
    replace(module.HTTPConnection, "close", tracker.around(after=hooks.abandon))


class _Call:
    """Outbound call that a connection has begun."""

    def __init__(self, outbound: Outbound | None, thread: int) -> None:
        self.outbound = outbound
        self.thread = thread
        self.is_active = True  # a method of the connection is sending, or waiting for the response


class _Hooks:
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._calls = WeakIdentityMap(tracker.guard(self._end))  # by connection
        self._open: dict[int, int] = {}  # how many each thread waits for

    def begin(self, connection: Any, *_arguments: Any, **_options: Any) -> Any:
        """Begin an outbound call with the headers that the connection has collected."""
        buffer = get_attribute(connection, "_buffer")
        if type(buffer) is not list or not buffer:
            return None
        headers = [line.split(b":", 1) for line in buffer[1:]]
        outbound = sending()
        if outbound is None:
            method, _, rest = to_text(buffer[0]).partition(" ")
            target = rest.rpartition(" ")[0]
            host = _host(connection, target)
            waiting = self._open.get(get_ident(), 0)
            outbound = self._tracker.begin_outbound(
                method, host, target, headers, on_own_track=waiting > 0
            )
            self._calls.put(connection, _Call(outbound, get_ident()))
            self._open[get_ident()] = waiting + 1
        if outbound is not None and outbound.headers and parse_headers(headers) is NO_CONTEXT:
            buffer += [f"{name}: {value}".encode("ascii") for name, value in outbound.headers]
            outbound.headers = []
        return connection

    def sent(self, connection: Any, _result: object, error: BaseException | None) -> None:
        """Note that the headers are sent; end the outbound call if they are not."""
        call = self._calls.get(connection)
        if call is not None:
            call.is_active = False
        if error is not None:
            self.end(connection, None, error)

    def wait(self, connection: Any) -> Any:
        """Note that the response is awaited."""
        call = self._calls.get(connection)
        if call is not None:
            call.is_active = True
        return connection

    def abandon(self, connection: Any, _result: object, _error: BaseException | None) -> None:
        """End the outbound call of a connection that the program closes without its response."""
        call = self._calls.get(connection)
        if call is not None and not call.is_active:
            self.end(connection, None, None)

    def end(self, connection: Any, response: Any, error: BaseException | None) -> None:
        """End the connection's outbound call."""
        call = self._calls.get(connection)
        if call is not None:
            self._calls.put(connection, None)
            status = -1 if response is None else to_status(get_attribute(response, "status"))
            self._end(call, status, error)

    def _end(
        self, call: _Call | None, status: int = -1, error: BaseException | None = None
    ) -> None:
        if call is None:
            return
        waiting = self._open.pop(call.thread, 1) - 1
        if waiting:
            self._open[call.thread] = waiting
        self._tracker.end_outbound(call.outbound, status, error)


def _host(connection: Any, target: str) -> str:
    """Return the host that a request is for: through a proxy, another than the connection's."""
    if "://" in target and not target.startswith("/"):
        return target.partition("://")[2].partition("/")[0]
    tunnel = exact_str(get_attribute(connection, "_tunnel_host"))
    host = tunnel or exact_str(get_attribute(connection, "host"))
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
