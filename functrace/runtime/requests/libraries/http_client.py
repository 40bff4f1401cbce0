"""Outbound calls of http.client, and so of urllib.request and xmlrpc.

An outbound call begins when its headers are complete and ends with the response's. Libraries above
that have begun the call get their headers sent.
"""

from __future__ import annotations

from _thread import get_ident

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str, get_attribute
from functrace.runtime.requests.patching import (
    around,
    raw_trace_headers,
    replace,
    to_status,
    to_text,
)
from functrace.runtime.requests.tracker import sending
from functrace.runtime.weak_map import WeakIdentityMap

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the class of connections."""
    hooks = _Hooks(tracker)
    begin, fail, end = map(tracker.guard, (hooks.begin, hooks.fail, hooks.end))
    replace(module.HTTPConnection, "endheaders", around(begin, fail))
    replace(module.HTTPConnection, "request", around(_connection, fail))
    replace(module.HTTPConnection, "getresponse", around(_connection, end))


class _Hooks:
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._outbounds = WeakIdentityMap()  # by connection
        self._open: dict[int, int] = {}  # how many each thread waits for

    def begin(self, connection: Any, *_arguments: Any, **_options: Any) -> Any:
        """Begin an outbound call with the headers that the connection has collected."""
        buffer = get_attribute(connection, "_buffer")
        if type(buffer) is not list or not buffer:
            return None
        headers = raw_trace_headers(line.split(b":", 1) for line in buffer[1:] if b":" in line)
        outbound = sending()
        if outbound is None:
            method, _, rest = to_text(buffer[0]).partition(" ")
            target = rest.rpartition(" ")[0]
            host = _host(connection, target)
            waiting = self._open.get(get_ident(), 0)
            outbound = self._tracker.begin_outbound(
                method, host, target, headers, on_own_track=waiting > 0
            )
            self._outbounds.put(connection, (outbound, get_ident()))
            self._open[get_ident()] = waiting + 1
        if outbound is not None and not headers:
            buffer += [f"{name}: {value}".encode("ascii") for name, value in outbound.headers]
            outbound.headers = []
        return connection

    def fail(self, connection: Any, _result: object, error: BaseException | None) -> None:
        """End the connection's outbound call if there is an error."""
        if error is not None:
            self.end(connection, None, error)

    def end(self, connection: Any, response: Any, error: BaseException | None) -> None:
        """End the connection's outbound call."""
        outbound, thread = self._outbounds.get(connection) or (None, 0)
        if outbound is not None:
            self._outbounds.put(connection, None)
            self._open[thread] -= 1
            if not self._open[thread]:
                del self._open[thread]
            status = -1 if response is None else to_status(get_attribute(response, "status"))
            self._tracker.end_outbound(outbound, status, error)


def _connection(connection: Any, *_arguments: Any, **_options: Any) -> Any:
    return connection


def _host(connection: Any, target: str) -> str:
    """Return the host that a request is for: through a proxy, another than the connection's."""
    if "://" in target and not target.startswith("/"):
        return target.partition("://")[2].partition("/")[0]
    tunnel = exact_str(get_attribute(connection, "_tunnel_host"))
    host = tunnel or exact_str(get_attribute(connection, "host"))
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
