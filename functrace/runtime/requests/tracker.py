"""Requests of this process, begun and ended by the hooks of libraries.

Nothing here may fail: the hooks run in the program. A failure is one message, and the request is
not recorded.
"""

from __future__ import annotations

from _contextvars import ContextVar
from http import HTTPStatus

from functrace.runtime import BUILTINS
from functrace.runtime.native import hide
from functrace.runtime.requests import names, opentelemetry, trace_headers
from functrace.runtime.requests.trace_headers import NO_CONTEXT, TraceContext
from functrace.runtime.stderr import write_message
from functrace.runtime.system import os

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Headers = Iterable[tuple[str, str]]  # names in lower case

globals()["__builtins__"] = BUILTINS

HTTP, GRPC = 1, 2
_INBOUND, _OUTBOUND = 1, 2
_PROTOCOL_SHIFT = 2
_HAS_IDS, _IS_SAMPLED, _HAS_FT, _IS_OWN = 1 << 8, 1 << 9, 1 << 10, 1 << 11  # of a request record
_IS_GRPC = 1 << 16  # of a status record
_MAX_CACHED = 4096  # targets whose names are kept
_FAILED_IN_SERVER = {2: "UNKNOWN", 4: "DEADLINE_EXCEEDED", 12: "UNIMPLEMENTED"} | {
    13: "INTERNAL",
    14: "UNAVAILABLE",
    15: "DATA_LOSS",
}
_GRPC_CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS"
    " PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED"
    " INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED"
).split()
_PHRASES = {int(status): status.phrase for status in HTTPStatus}


class Inbound:
    """Inbound call.

    Attributes:
        number: its number in the process.
        context: what its trace headers contain.
        own_trace_id: id of the trace that it begins, if functrace makes the ids; else empty.
        method: the method, or empty with gRPC.
        status: the status of its response; -1 if unknown.
        route: the framework's name for its path; empty if unknown.
        error: an exception that ended it, or None.
        environ: where its framework left the request (WSGI, ASGI), or None.
        is_open: whether it has not ended.
    """

    __slots__ = (
        "context",
        "environ",
        "error",
        "is_open",
        "method",
        "number",
        "own_trace_id",
        "protocol",
        "route",
        "status",
        "token",
        "tracker",
    )

    def __init__(self, number: int, context: TraceContext, method: str, protocol: int) -> None:
        self.number = number
        self.context = context
        self.own_trace_id = ""
        self.method = method
        self.protocol = protocol
        self.status = -1
        self.route = ""
        self.error: BaseException | None = None
        self.environ: Any = None
        self.is_open = True
        self.token: Any = None


class Outbound:
    """Outbound call.

    Attributes:
        number: its number in the process.
        headers: what its hook must send besides the program's headers.
    """

    __slots__ = ("headers", "is_open", "number", "protocol", "track")

    def __init__(
        self, number: int, headers: list[tuple[str, str]], protocol: int, track: int
    ) -> None:
        self.number = number
        self.headers = headers
        self.protocol = protocol
        self.track = track  # its own, or 0
        self.is_open = True


_current: ContextVar[Inbound | None] = ContextVar("functrace_inbound_call", default=None)
_sending: ContextVar[Outbound | None] = ContextVar("functrace_outbound_call", default=None)


class Tracker:
    """Requests of this process.

    Args:
        propagate: observe, forward or span.
        keeps_urls: whether names contain paths and queries as they are.
        tasks: TaskTracks.
    """

    def __init__(self, propagate: str, *, keeps_urls: bool, tasks: Any) -> None:
        self._propagate = propagate
        self._keeps_urls = keeps_urls
        self._tasks = tasks
        self._recorder: Any = None
        self._process_key = 0
        self._functions: dict[tuple[int, int, str], int] = {}
        self._cached: dict[tuple[str, str, str], int] = {}
        self._open: dict[int, Inbound] = {}
        self._has_failed = False
        for name in ("begin_inbound", "end_inbound", "begin_outbound", "end_outbound", "note"):
            setattr(self, name, self.guard(getattr(self, f"_{name}")))

    begin_inbound: Callable[..., Inbound | None]
    end_inbound: Callable[..., None]
    begin_outbound: Callable[..., Outbound | None]
    end_outbound: Callable[..., None]
    note: Callable[..., None]

    def attach(self, recorder: Any, process_key: str) -> None:
        """Record with this recorder from now on; requests of another one have ended."""
        for inbound in self._open.values():
            inbound.is_open = False
        self._open.clear()
        self._recorder = recorder
        self._process_key = int(process_key, 16)

    def guard(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``function`` so that it cannot fail, and the program's tools do not see it."""

        def guarded(*arguments: Any, **options: Any) -> Any:
            try:
                return function(*arguments, **options)
            except Exception as error:  # noqa: BLE001  the program must run on
                self.report(error)
                return None

        return hide(guarded)

    def report(self, error: Exception) -> None:
        """Write one message about a failure of a hook."""
        if not self._has_failed:
            self._has_failed = True
            from functrace.runtime.exception_text import describe_exception

            reason = describe_exception(error).decode()
            write_message(f"requests are not recorded completely: {reason}")

    # Inbound calls

    def _begin_inbound(
        self, method: str, target: str, headers: Headers, protocol: int = HTTP
    ) -> Inbound | None:
        """Begin an inbound call. Returns None if it is not recorded.

        Args:
            method: of HTTP; with gRPC, empty.
            target: path and query, or the full name of a gRPC method.
            headers: all headers or the trace headers, in any order of names.
            protocol: HTTP or GRPC.
        """
        recorder = self._recorder
        if recorder is None:
            return None
        context = trace_headers.parse(headers)
        function = self._function(_INBOUND, method, "", target, protocol)
        flags, ids, ft = _INBOUND | protocol << _PROTOCOL_SHIFT, b"", b""
        own_trace_id = ""
        if context.trace_id:
            flags |= _HAS_IDS | (_IS_SAMPLED if context.is_sampled else 0)
            ids = bytes.fromhex(context.trace_id + context.span_id)
        elif self._propagate == "span":
            own_trace_id = os.urandom(16).hex()
            is_sampled = trace_headers.are_spans_sampled(context)
            flags |= _HAS_IDS | _IS_OWN | (_IS_SAMPLED if is_sampled else 0)
            ids = bytes.fromhex(own_trace_id) + os.urandom(8)
        if context.ft is not None:
            flags |= _HAS_FT
            process, number = context.ft
            ft = process.to_bytes(8, "little") + number.to_bytes(8, "little")
        number = recorder.begin_request(function, flags, 0, ids, ft)
        if not number:
            return None
        inbound = self._open[number] = Inbound(number, context, method, protocol)
        inbound.own_trace_id = own_trace_id
        inbound.token = _current.set(inbound)
        return inbound

    def _end_inbound(self, inbound: Inbound) -> None:
        """End an inbound call, whose status, route and error are known by now."""
        try:
            _current.reset(inbound.token)
        except (ValueError, RuntimeError):  # it ends in another context than it began
            if _current.get() is inbound:
                _current.set(None)
        inbound.environ = None
        error, inbound.error = inbound.error, None
        if not inbound.is_open:
            return
        inbound.is_open = False
        self._open.pop(inbound.number, None)
        status, failure = inbound.status, None
        if inbound.protocol == GRPC:
            failure = error or _FAILED_IN_SERVER.get(status)
            status = -1 if status < 0 else status | _IS_GRPC
        elif error is not None:
            failure = error
        elif status >= 500:
            failure = _status_text(status)
        route = 0
        if inbound.route and status >= 0:
            name = f"{names.method_name(inbound.method)} {inbound.route}"
            route = self._intern(_INBOUND, inbound.protocol, name)
        self._recorder.end_request(inbound.number, status, route, failure)

    def _note(self, kind: str, value: Any) -> None:
        """Store an attribute of the inbound call that this thread or task handles."""
        inbound = _current.get()
        if inbound is not None and inbound.is_open:
            setattr(inbound, kind, value)

    def current(self) -> Inbound | None:
        """Return the open inbound call that this code belongs to, or None if it is unknown."""
        inbound = _current.get() or self._tasks.inherited_inbound()
        if inbound is not None and inbound.is_open:
            return inbound
        return self._open.get(self._recorder.open_inbound())

    @staticmethod
    def in_context() -> Inbound | None:
        """Return the inbound call of this context."""
        return _current.get()

    # Outbound calls

    def _begin_outbound(
        self,
        method: str,
        host: str,
        target: str,
        headers: Headers,
        protocol: int = HTTP,
        *,
        on_own_track: bool = False,
    ) -> Outbound | None:
        """Begin an outbound call. Returns None if it is not recorded.

        Args:
            method, target, protocol: as above.
            host: the host, with or without a port.
            headers: the trace headers that the program has set.
            on_own_track: whether it may last longer than calls that enclose it.
        """
        recorder = self._recorder
        if recorder is None:
            return None
        inbound = self.current()
        function = self._function(_OUTBOUND, method, host, target, protocol)
        sent = trace_headers.parse(headers)
        context, is_free = sent, sent is NO_CONTEXT
        flags = _OUTBOUND | protocol << _PROTOCOL_SHIFT
        trace_id = span_id = ""
        if is_free:
            context = self._context_of(inbound)
        if not is_free or context.is_current or self._propagate != "observe":
            trace_id, span_id = context.trace_id, context.span_id
        is_own = is_free and self._propagate == "span"
        if is_own:
            own = inbound.own_trace_id if inbound is not None else ""
            trace_id, span_id = trace_id or own or os.urandom(16).hex(), os.urandom(8).hex()
            flags |= _IS_OWN
        ids = bytes.fromhex(trace_id + span_id)
        if ids:
            is_sampled = trace_headers.are_spans_sampled(context) if is_own else context.is_sampled
            flags |= _HAS_IDS | (_IS_SAMPLED if is_sampled else 0)
        of = inbound.number if inbound is not None else 0
        track = self._tasks.new_track_here() if on_own_track else 0
        number = recorder.begin_request(function, flags, of, ids, b"", track)
        if not number:
            return None
        added: list[tuple[str, str]] = []
        if is_own:
            added = trace_headers.span(context, self._process_key, number, trace_id, span_id)
        elif is_free and self._propagate == "forward":
            added = trace_headers.forward(context, self._process_key, number)
        return Outbound(number, added, protocol, track)

    @staticmethod
    def _context_of(inbound: Inbound | None) -> TraceContext:
        """Return the trace that an outbound call continues."""
        return opentelemetry.current_context(
            NO_CONTEXT if inbound is None else inbound.context
        ) or (NO_CONTEXT if inbound is None else inbound.context)

    def _end_outbound(
        self, outbound: Outbound | None, status: int, error: BaseException | str | None = None
    ) -> None:
        """End an outbound call; ``status`` is -1 if there was no response."""
        if outbound is None or not outbound.is_open:
            return
        outbound.is_open = False
        failure = error
        if outbound.protocol == GRPC:
            if failure is None and status > 0:
                failure = grpc_code(status)
            status = -1 if status < 0 else status | _IS_GRPC
        elif failure is None and status >= 400:
            failure = _status_text(status)
        recorder = self._recorder
        recorder.end_request(outbound.number, status, 0, failure)
        if outbound.track:
            recorder.release_track(outbound.track)

    # Names

    def _function(self, direction: int, method: str, host: str, target: str, protocol: int) -> int:
        """Return the index of the request function of a target."""
        key = ("", method, target) if direction == _INBOUND else (host, method, target)
        index = self._cached.get(key)
        if index is None:
            name = self._name(method, host, target, direction, protocol)
            index = self._intern(direction, protocol, name)
            if len(self._cached) >= _MAX_CACHED:
                self._cached.clear()
            if len(target) <= 1024:
                self._cached[key] = index
        return index

    def _name(self, method: str, host: str, target: str, direction: int, protocol: int) -> str:
        if protocol == GRPC:
            return names.request_name("grpc", "", names.full_target(target.lstrip("/")))
        shown = names.host_name(host) if direction == _OUTBOUND else ""
        path = names.full_target(target) if self._keeps_urls else names.path_shape(target)
        return names.request_name(names.method_name(method), shown, path)

    def _intern(self, direction: int, protocol: int, name: str) -> int:
        key = direction, protocol, name
        index = self._functions.get(key)
        if index is None and len(self._functions) >= names.MAX_NAMES:
            key = direction, protocol, f"{name.partition(' ')[0]} {names.OTHER}"
            index = self._functions.get(key)
        if index is None:
            index = self._functions[key] = self._recorder.add_request_function(
                key[2], direction, protocol
            )
        return index


def set_sending(outbound: Outbound | None) -> Any:
    """Mark the outbound call whose request this thread or task is sending; return a token."""
    return _sending.set(outbound)


def reset_sending(token: Any) -> None:
    """Undo set_sending."""
    _sending.reset(token)


def sending() -> Outbound | None:
    """Return the outbound call that a library above this one has begun, or None."""
    return _sending.get()


def grpc_code(code: int) -> str:
    """Return the name of a code of gRPC."""
    return _GRPC_CODES[code] if 0 <= code < len(_GRPC_CODES) else f"code {code}"


def _status_text(status: int) -> str:
    phrase = _PHRASES.get(status, "")
    return f"{status} {phrase}" if phrase else str(status)
