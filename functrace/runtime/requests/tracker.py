"""Requests of this process, begun and ended by the hooks of libraries.

Nothing here may fail: the hooks run in the program. A failure is one message, and the request is
not recorded.
"""

from __future__ import annotations

from _contextvars import ContextVar
from http import HTTPStatus

from functrace.runtime import BUILTINS
from functrace.runtime.requests import names, opentelemetry, trace_headers
from functrace.runtime.requests.parts import (
    NO_CONTEXT,
    around,
    begin_inbound,
    current_inbound,
    end_inbound,
    find_inbound,
    forget_inbounds,
    guard,
    parse_headers,
)
from functrace.runtime.requests.request_functions import (
    GRPC,
    HTTP,
    INBOUND,
    OUTBOUND,
    RequestFunctions,
)
from functrace.runtime.stderr import write_message
from functrace.runtime.system import os

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from functrace._native._recorder import Inbound, TraceContext

globals()["__builtins__"] = BUILTINS

_PROTOCOL_SHIFT = 2
_HAS_IDS, _IS_SAMPLED, _IS_OWN = 1 << 8, 1 << 9, 1 << 11  # of a request record
_IS_GRPC = 1 << 16  # of a status record
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


class Outbound:
    """Outbound call.

    Attributes:
        recorder: the recorder that it is recorded by.
        number: its number in the process; 0 once it has ended.
        headers: what its hook must send besides the program's headers.
    """

    __slots__ = ("headers", "number", "protocol", "recorder", "track")

    def __init__(
        self,
        recorder: Any,
        number: int,
        headers: list[tuple[str, str]],
        protocol: int,
        track: int,
    ) -> None:
        self.recorder = recorder
        self.number = number
        self.headers = headers
        self.protocol = protocol
        self.track = track  # its own, or 0


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
        self._tasks = tasks
        self._recorder: Any = None
        self._process_key = 0
        self._functions = RequestFunctions(keeps_urls=keeps_urls)
        self._has_failed = False

    def attach(self, recorder: Any, process_key: str) -> None:
        """Record with this recorder from now on; requests of another one have ended."""
        forget_inbounds()
        self._recorder = self._functions.recorder = recorder
        self._process_key = int(process_key, 16)

    def guard(self, function: Callable[..., Any], *, begins: bool = False) -> Callable[..., Any]:
        """Return ``function`` so that it cannot fail, and the program's tools do not see it.

        Args:
            begins: whether it begins requests, so that it does nothing while none is recorded.
        """
        guarded: Callable[..., Any] = guard(function, self.report, begins)
        return guarded

    def around(
        self,
        before: Callable[..., Any] | None = None,
        after: Callable[..., None] | None = None,
        *,
        begins: bool = False,
    ) -> Callable[[Any], Any]:
        """Return a function that wraps another one.

        Args:
            before: called with the arguments of the call. Its result is the call's state. Without
                it, that is the first argument.
            after: called with the state, the result and the exception, one of them None, unless the
                state is None.
            begins: as above; both hooks are left out then.
        """
        return lambda original: around(original, before, after, self.report, begins)

    def report(self, error: Exception) -> None:
        """Write one message about a failure of a hook."""
        if not self._has_failed:
            self._has_failed = True
            from functrace.runtime.exception_text import describe_exception

            reason = describe_exception(error).decode()
            write_message(f"requests are not recorded completely: {reason}")

    # Inbound calls

    def begin_inbound(
        self, request: tuple[str, str], headers: Any, protocol: int = HTTP
    ) -> Inbound | None:
        """Begin an inbound call. Returns None if it is not recorded.

        Args:
            request: method of HTTP, and path and query; with gRPC, "" and the method's full name.
            headers: pairs of str or bytes in any case, or the environment of a WSGI request.
            protocol: HTTP or GRPC.
        """
        recorder = self._recorder
        if recorder is None:
            return None
        functions = self._functions
        function = functions.inbound.get(request) or functions.for_inbound(request, protocol)
        context = parse_headers(headers)
        own_ids = os.urandom(24) if self._propagate == "span" and not context.ids else b""
        inbound: Inbound | None = begin_inbound(
            recorder, function, protocol, context, request[0], own_ids
        )
        return inbound

    def end_inbound(self, inbound: Inbound) -> None:
        """End an inbound call, whose status, route and error are known by now."""
        failure: BaseException | str | None = inbound.error
        status, route = inbound.status, 0
        if inbound.protocol == GRPC:
            failure = _FAILED_IN_SERVER.get(status) if failure is None else failure
            status = -1 if status < 0 else status | _IS_GRPC
        elif status >= 500 and failure is None:
            failure = _status_text(status)
        if inbound.route and status >= 0:
            name = f"{names.method_name(inbound.method)} {inbound.route}"
            route = self._functions.named(INBOUND, inbound.protocol, name)
        end_inbound(self._recorder, inbound, status, route, failure)

    def note(self, kind: str, value: Any) -> None:
        """Store an attribute of the inbound call that this thread or task handles."""
        inbound = current_inbound()
        if inbound is not None and inbound.number:
            setattr(inbound, kind, value)

    def current(self) -> Inbound | None:
        """Return the open inbound call that this code belongs to, or None if it is unknown."""
        inbound: Inbound | None = current_inbound() or self._tasks.inherited_inbound()
        if inbound is not None and inbound.number:
            return inbound
        enclosing: Inbound | None = find_inbound(self._recorder.open_inbound())
        return enclosing

    # Outbound calls

    def begin_outbound(
        self,
        method: str,
        host: str,
        target: str,
        headers: Any,
        protocol: int = HTTP,
        *,
        on_own_track: bool = False,
    ) -> Outbound | None:
        """Begin an outbound call. Returns None if it is not recorded.

        Args:
            method, target: of HTTP; with gRPC, empty, and the method's full name.
            host: the host, with or without a port.
            headers: pairs that contain the trace headers which the program has set.
            protocol: HTTP or GRPC.
            on_own_track: whether it may last longer than calls that enclose it.
        """
        recorder = self._recorder
        if recorder is None:
            return None
        function = self._functions.for_outbound(host, method, target, protocol)
        inbound = self.current()
        context = parse_headers(headers)
        is_free = context is NO_CONTEXT  # the program has set none of them
        is_current = False  # the context is that of OpenTelemetry's span
        if is_free:
            context, is_current = self._context_of(inbound)
        is_own = is_free and self._propagate == "span"
        flags = OUTBOUND | protocol << _PROTOCOL_SHIFT
        ids = b""
        if is_own:
            own_ids = b"" if inbound is None else inbound.own_ids
            flags |= _IS_OWN
            ids = (context.ids[:16] or own_ids[:16] or os.urandom(16)) + os.urandom(8)
        elif not is_free or is_current or self._propagate != "observe":
            ids = context.ids
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
            own = ids[:16].hex(), ids[16:].hex()
            added = trace_headers.span(context, self._process_key, number, *own)
        elif is_free and self._propagate == "forward":
            added = trace_headers.forward(context, self._process_key, number)
        return Outbound(recorder, number, added, protocol, track)

    @staticmethod
    def _context_of(inbound: Inbound | None) -> tuple[TraceContext, bool]:
        """Return the trace that an outbound call continues, and whether it is OpenTelemetry's."""
        received = NO_CONTEXT if inbound is None else inbound.context
        current = opentelemetry.current_context(received)
        return (received, False) if current is None else (current, True)

    def end_outbound(
        self, outbound: Outbound | None, status: int, error: BaseException | str | None = None
    ) -> None:
        """End an outbound call; ``status`` is -1 if there was no response."""
        recorder = self._recorder
        if outbound is None or not outbound.number or outbound.recorder is not recorder:
            return  # it has ended, or is that of a parent process
        failure = error
        if outbound.protocol == GRPC:
            if failure is None and status > 0:
                failure = grpc_code(status)
            status = -1 if status < 0 else status | _IS_GRPC
        elif failure is None and status >= 400:
            failure = _status_text(status)
        recorder.end_request(outbound.number, status, 0, failure)
        outbound.number = 0
        if outbound.track:
            recorder.release_track(outbound.track)


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
