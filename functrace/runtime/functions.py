"""The traced functions of the program.

This is loaded in every instrumented program, where tracing is off as well, so it loads nothing, not
even __future__: that may be instrumented, too.
"""

import sys
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

_FUNCTION = type(lambda: None)

# By the address of the code object: these are equal if their contents are, whatever their file.
_functions: "dict[int, tuple[ref[CodeType], str]]" = {}


def remember(function: "Any") -> "tuple[CodeType, str] | None":
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
    name = f"{module if type(module) is str else '?'}.{function.__qualname__}"
    forget = _functions.pop  # at the end modules are empty before all code is gone
    _functions[address] = ref(code, lambda _: forget(address, None) and None), name
    return code, name


def remembered() -> "Iterator[tuple[CodeType, str]]":
    """All that there are."""
    for reference, name in list(_functions.values()):
        code = reference()
        if code is not None:
            yield code, name


def _inside(function: "Any") -> "Any":
    """The function in a static method, a class method or a functools.partial."""
    if type(function) in (staticmethod, classmethod):
        return function.__func__
    functools: Any = sys.modules.get("functools")
    partial = getattr(functools, "partial", None)
    return function.func if partial is not None and type(function) is partial else None
