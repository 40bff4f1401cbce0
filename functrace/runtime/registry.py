"""The traced functions of the program.

This is loaded in every instrumented program, where tracing is off as well, so it loads nothing, not
even __future__: that may be instrumented, too.
"""

from _functools import partial  # type: ignore[import-not-found]  # functools takes long to load
from _weakref import ref

from functrace.runtime import BUILTINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

globals()["__builtins__"] = BUILTINS

_FUNCTION = type(lambda: None)


class _Known(ref["CodeType"]):
    """A code object, as long as it lives, and the full name of its function."""

    # One object for each function, and no closure: a program may have many, and the collector
    # looks at all of them.
    __slots__ = "address", "name"

    address: int
    name: str


# By the address of the code object: these are equal if their contents are, whatever their file.
_functions: dict[int, _Known] = {}


def _forget(gone: _Known, pop: "Any" = _functions.pop) -> None:
    pop(gone.address, None)  # at the end modules are empty before all code is gone


def register(function: "Any") -> "tuple[CodeType, str] | None":
    """The code object and the full name of a function; None if it has none, or is known already."""
    while type(function) is not _FUNCTION:
        inside = _inside(function)
        if inside is None:
            return None
        function = inside
    code = function.__code__
    address = id(code)
    if address in _functions:
        return None
    module = function.__module__
    known = _Known(code, _forget)
    known.address = address
    qualname = str.__str__(function.__qualname__)  # a subclass may format itself in its own way
    known.name = name = f"{module if type(module) is str else '?'}.{qualname}"
    _functions[address] = known
    return code, name


def registered_functions() -> "Iterator[tuple[CodeType, str]]":
    """All that there are."""
    for known in list(_functions.values()):
        code = known()
        if code is not None:
            yield code, known.name


def _inside(function: "Any") -> "Any":
    """The function in a static method, a class method or a functools.partial."""
    if type(function) in (staticmethod, classmethod):
        return function.__func__
    return function.func if type(function) is partial else None
