"""The code objects whose calls are recorded or watched, process-wide."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from types import CodeType

from functrace.runtime import BUILTINS
from functrace.runtime.native import hide

globals()["__builtins__"] = BUILTINS

_GENERATOR = 0x20  # inspect.CO_*; importing inspect takes as long as all of functrace
_COROUTINE = 0x80
_ITERABLE_COROUTINE = 0x100
_ASYNC_GENERATOR = 0x200

Callback = Callable[[object], None]


class Known:
    """What there is to know of a code object.

    Attributes:
        code: a weak reference to it.
        is_traced: whether its calls are recorded.
        name, file, line: of the function, if they are.
        number: in the trace; 0 until it is written down.
        awaits: whether it is a coroutine's or an async generator's.
        steps: whether it is a generator's, of any kind.
        started, returned: whom a call is reported to.
    """

    __slots__ = (
        "awaits",
        "code",
        "file",
        "is_traced",
        "line",
        "name",
        "number",
        "returned",
        "started",
        "steps",
    )

    def __init__(self, code: CodeType) -> None:
        address, forget = (
            id(code),
            KNOWN.pop,
        )  # at the end modules are empty before all code is gone
        self.code = weakref.ref(code, hide(lambda _: forget(address, None) and None))
        self.is_traced = False
        self.name = self.file = ""
        self.line = self.number = 0
        flags = code.co_flags
        self.awaits = bool(flags & (_COROUTINE | _ITERABLE_COROUTINE | _ASYNC_GENERATOR))
        self.steps = bool(flags & _GENERATOR) or self.awaits
        self.started: Callback | None = None
        self.returned: Callback | None = None


# By address: code objects are equal if their contents are, whatever file they come from.
KNOWN: dict[int, Known] = {}


def known(code: CodeType) -> Known:
    """What is known of ``code`` from here on."""
    found = KNOWN.get(id(code))
    if found is None:
        found = KNOWN[id(code)] = Known(code)
    return found


# Numbers of tracks. The main thread has 1, in whatever order threads are seen.
MAIN = 1
_numbers = itertools.count(MAIN + 1)


def new_track_number() -> int:
    """A number that no track has had in this process."""
    return next(_numbers)
