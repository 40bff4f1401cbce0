"""Metadata of the code objects whose calls are recorded or watched."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from types import CodeType

from functrace.runtime import BUILTINS
from functrace.runtime.native import hide

globals()["__builtins__"] = BUILTINS

_GENERATOR = 0x20  # inspect.CO_*; importing inspect takes as long as importing all of functrace
_COROUTINE = 0x80
_ITERABLE_COROUTINE = 0x100
_ASYNC_GENERATOR = 0x200

# States of a function. A demoted one is draining or silent: only its failures are recorded.
RECORDED = 0
DRAINING = 1  # calls of it may be open
SILENT = 2  # none is open, and its events are disabled

Callback = Callable[[object], None]


class CodeInfo:
    """Metadata of an instrumented code object.

    Attributes:
        code: a weak reference to it.
        is_traced: whether its calls are recorded.
        name, file, line: of the function, if it is traced.
        number: the function's number in the trace; 0 until it is written.
        is_async: whether it belongs to a coroutine or an async generator.
        is_generator: whether it belongs to a generator of any kind.
        on_call, on_return: callbacks of a watched function.
        state: RECORDED, DRAINING or SILENT.
        is_mute: whether it is demoted and its failures are not recorded either.
        demotions, calls_per_second, share, promotable_at: of EventBudget.
        request: direction and protocol of a function that stands for requests; otherwise None.
    """

    __slots__ = (
        "calls_per_second",
        "code",
        "demotions",
        "file",
        "is_async",
        "is_generator",
        "is_mute",
        "is_traced",
        "line",
        "name",
        "number",
        "on_call",
        "on_return",
        "promotable_at",
        "request",
        "share",
        "state",
    )

    def __init__(self, code: CodeType) -> None:
        # Bound here, because modules are cleared before all code objects at interpreter exit.
        address, remove = id(code), CODE_INFOS.pop
        self.code = weakref.ref(code, hide(lambda _: remove(address, None) and None))
        self._clear()
        flags = code.co_flags
        self.is_async = bool(flags & (_COROUTINE | _ITERABLE_COROUTINE | _ASYNC_GENERATOR))
        self.is_generator = bool(flags & _GENERATOR) or self.is_async

    def _clear(self) -> None:
        self.is_traced = False
        self.name = self.file = ""
        self.line = self.number = 0
        self.state = RECORDED
        self.is_mute = False
        self.demotions = self.calls_per_second = self.promotable_at = 0
        self.share = 0.0
        self.on_call: Callback | None = None
        self.on_return: Callback | None = None
        self.request: tuple[int, int] | None = None

    def is_watched(self) -> bool:
        """Return whether its events are needed even if no calls are recorded."""
        return self.on_call is not None or self.on_return is not None


class RequestInfo(CodeInfo):
    """Metadata of a function that stands for requests and has no code object."""

    __slots__ = ()

    def __init__(self, name: str, direction: int, protocol: int) -> None:
        self._clear()
        self.code = _no_code  # type: ignore[assignment]
        self.name = name
        self.request = direction, protocol
        # A coroutine may be suspended inside a request.
        self.is_async = self.is_generator = True


def _no_code() -> None:
    return None


REQUEST_INFOS: list[RequestInfo] = []

# Keyed by address: code objects compare equal if their contents do, whatever their file.
CODE_INFOS: dict[int, CodeInfo] = {}


def get_code_info(code: CodeType) -> CodeInfo:
    """Return the metadata of ``code``, created if there is none."""
    found = CODE_INFOS.get(id(code))
    if found is None:
        found = CODE_INFOS[id(code)] = CodeInfo(code)
    return found


# Track numbers. The main thread has number 1, in whatever order threads are seen.
MAIN = 1
_numbers = itertools.count(MAIN + 1)


def new_track_number() -> int:
    """Return a track number that is unused in this process."""
    return next(_numbers)
