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
    """

    __slots__ = (
        "code",
        "file",
        "is_async",
        "is_generator",
        "is_traced",
        "line",
        "name",
        "number",
        "on_call",
        "on_return",
    )

    def __init__(self, code: CodeType) -> None:
        # Bound here, because modules are cleared before all code objects at interpreter exit.
        address, remove = id(code), CODE_INFOS.pop
        self.code = weakref.ref(code, hide(lambda _: remove(address, None) and None))
        self.is_traced = False
        self.name = self.file = ""
        self.line = self.number = 0
        flags = code.co_flags
        self.is_async = bool(flags & (_COROUTINE | _ITERABLE_COROUTINE | _ASYNC_GENERATOR))
        self.is_generator = bool(flags & _GENERATOR) or self.is_async
        self.on_call: Callback | None = None
        self.on_return: Callback | None = None


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
