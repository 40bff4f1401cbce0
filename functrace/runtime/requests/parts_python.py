"""Fallback of the parts in C that each request runs through."""

from __future__ import annotations

from _contextvars import ContextVar

from functrace.runtime import BUILTINS, recorder_python
from functrace.runtime.raw_attributes import exact_items, exact_str, get_attribute
from functrace.runtime.requests.trace_headers_python import TraceContext, parse_headers

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = BUILTINS

__all__ = [
    "around",
    "begin_inbound",
    "current_inbound",
    "end_inbound",
    "find_inbound",
    "forget_inbounds",
    "get_attribute",
    "guard",
    "note_status",
    "parse_headers",
    "to_status",
    "wsgi_request",
]

_INBOUND, _PROTOCOL_SHIFT = 1, 2
_HAS_IDS, _IS_SAMPLED, _HAS_FT, _IS_OWN = 1 << 8, 1 << 9, 1 << 10, 1 << 11  # of its record
_IS_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: no class of Python's own
_FLAGS: Any = type.__dict__["__flags__"]
_TRACEBACK: Any = BaseException.__dict__["__traceback__"]  # a class may override the name


def wsgi_request(environ: Any) -> tuple[str, str] | None:
    """Return method and target of a WSGI request."""
    if type(environ) is not dict:
        return None
    items = exact_items(environ)
    path = exact_str(items.get("SCRIPT_NAME")) + exact_str(items.get("PATH_INFO"))
    query = exact_str(items.get("QUERY_STRING"))
    return exact_str(items.get("REQUEST_METHOD")), f"{path}?{query}" if query else path


def to_status(value: Any) -> int:
    """Return the status of a response."""
    if type(value) is str:
        value = int(value[:3]) if value[:3].isdecimal() and value[:3].isascii() else -1
    return _bounded(int.__int__(value)) if issubclass(type(value), int) else -1


def _bounded(status: int) -> int:
    return status if 0 < status < 1000 else -1


def guard(function: Callable[..., Any], report: Callable[..., None], begins: bool) -> Any:
    """Return a function that cannot fail by itself."""

    def guarded(*arguments: Any, **options: Any) -> Any:
        if begins and not recorder_python.is_recording():
            return None
        before = _current.get()
        try:
            return function(*arguments, **options)
        except Exception as error:
            begun = _current.get()
            if begun is not before and begun is not None:
                end_inbound(recorder_python.current(), begun, -1, 0, None)
            if _is_of_program(error):
                raise
            report(error)
            return None

    return guarded


def _is_of_program(error: BaseException) -> bool:
    """Return whether the program raised it: in a handler of a signal, or from another thread."""
    at = _TRACEBACK.__get__(error)
    while at is not None and at.tb_frame.f_builtins is BUILTINS:
        at = at.tb_next
    return at is not None or bool(_FLAGS.__get__(type(error)) & _IS_HEAP_TYPE)


def around(original: Any, before: Any, after: Any, report: Any, begins: bool) -> Any:
    """Return a function that calls another one between two hooks."""
    before = guard(before or _first, report, begins)
    after = _repeated(guard(after or _nothing, report, False))

    def wrapper(*arguments: Any, **options: Any) -> Any:
        state = before(*arguments, **options)
        try:
            result = original(*arguments, **options)
        except BaseException as error:
            if state is not None:
                after(state, None, error)
            remove_frame(error)
            raise
        if state is not None:
            after(state, result, None)
        return result

    return wrapper


def _repeated(after: Any) -> Any:
    """Return a hook that is called again if a handler of a signal interrupts it."""

    def repeated(*arguments: Any) -> None:
        try:
            after(*arguments)
        except BaseException:
            after(*arguments)
            raise

    return repeated


def remove_frame(error: BaseException) -> None:
    """Remove the frame of the wrapper that caught an exception from its traceback."""
    traceback = _TRACEBACK.__get__(error)
    if traceback is not None and traceback.tb_next is not None:
        _TRACEBACK.__set__(error, traceback.tb_next)


def _first(first: Any = None, *_arguments: Any, **_options: Any) -> Any:
    return first


def _nothing(*_arguments: Any) -> None:
    return None


class Inbound:
    """Inbound call."""

    __slots__ = (
        "context",
        "environ",
        "error",
        "method",
        "number",
        "own_ids",
        "owner",
        "protocol",
        "route",
        "status",
        "token",
    )

    def __init__(
        self, number: int, protocol: int, context: TraceContext, method: str, own_ids: bytes
    ) -> None:
        self.number = number
        self.protocol = protocol
        self.context = context
        self.method = method
        self.own_ids = own_ids
        self.status = -1
        self.route = ""
        self.error: BaseException | None = None
        self.environ: Any = None
        self.owner: Any = None
        self.token: Any = None


_current: ContextVar[Inbound | None] = ContextVar("functrace_inbound_call", default=None)
_open: dict[int, Inbound] = {}  # by number


def begin_inbound(
    recorder: Any,
    function: int,
    protocol: int,
    context: TraceContext,
    method: str,
    own_ids: bytes,
) -> Inbound | None:
    """Begin an inbound call."""
    flags = _INBOUND | protocol << _PROTOCOL_SHIFT
    ids, is_sampled = context.ids, context.is_sampled
    if not ids and own_ids:
        flags |= _IS_OWN
        ids, is_sampled = own_ids, is_sampled or not (context.b3 or context.multi)
    if ids:
        flags |= _HAS_IDS | (_IS_SAMPLED if is_sampled else 0)
    if context.ft:
        flags |= _HAS_FT
    number = recorder.begin_request(function, flags, 0, ids, context.ft)
    if not number:
        return None
    inbound = _open[number] = Inbound(number, protocol, context, method, own_ids)
    inbound.token = _current.set(inbound)
    return inbound


def end_inbound(
    recorder: Any,
    inbound: Inbound,
    status: int,
    route: int,
    failure: str | BaseException | None,
) -> None:
    """End an inbound call."""
    token, inbound.token = inbound.token, None
    if token is not None:
        _reset(inbound, token)
    inbound.environ = inbound.owner = inbound.error = None
    _open.pop(inbound.number, None)
    if inbound.number:
        recorder.end_request(inbound.number, status, route, failure)
    inbound.number = 0


def _reset(inbound: Inbound, token: Any) -> None:
    try:
        _current.reset(token)
    except (ValueError, RuntimeError):  # it ends in another context than it began
        if _current.get() is inbound:
            _current.set(None)


def current_inbound() -> Inbound | None:
    """Return the inbound call of this context, which may have ended, or None."""
    return _current.get()


def find_inbound(number: int) -> Inbound | None:
    """Return the open inbound call of that number."""
    return _open.get(number)


def forget_inbounds() -> None:
    """End all open inbound calls without recording it."""
    for inbound in _open.values():
        inbound.number = 0
    _open.clear()


def note_status(owner: Any) -> None:
    """Note the status of the current inbound call's owner."""
    inbound = _current.get()
    if inbound is not None and inbound.owner is owner:
        inbound.status = to_status(get_attribute(owner, "status"))
