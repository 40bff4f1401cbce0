"""Registry of the program's traced functions.

Every instrumented program loads this module, even if tracing is off. It therefore imports nothing,
not even __future__, which may be instrumented itself.
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


class _TracedFunction(ref["CodeType"]):
    """Weak reference to a code object, with the full name of its function."""

    # One object per function and no closure: a program may have many functions, and the garbage
    # collector visits all objects.
    __slots__ = "address", "name"

    address: int
    name: str


# Keyed by address: code objects compare equal if their contents do, whatever their file.
_functions: dict[int, _TracedFunction] = {}


def _remove(dead: _TracedFunction, pop: "Any" = _functions.pop) -> None:
    pop(dead.address, None)  # at interpreter exit modules are cleared before all code objects


def register(function: "Any") -> "tuple[CodeType, str] | None":
    """Return the code object and full name of a function; None if it has none or is registered."""
    while type(function) is not _FUNCTION:
        wrapped = _unwrap(function)
        if wrapped is None:
            return None
        function = wrapped
    code = function.__code__
    if id(code) in _functions:
        return None
    module = function.__module__
    qualname = str.__str__(function.__qualname__)  # a subclass of str may override formatting
    name = f"{module if type(module) is str else '?'}.{qualname}"
    register_code(code, name)
    return code, name


def register_code(code: "CodeType", name: str) -> None:
    """Register a code object with its function's full name, unless it is registered."""
    address = id(code)
    if address not in _functions:
        function_info = _TracedFunction(code, _remove)
        function_info.address = address
        function_info.name = name
        _functions[address] = function_info


def registered_functions() -> "Iterator[tuple[CodeType, str]]":
    """Yield the code object and full name of each registered function."""
    for function_info in list(_functions.values()):
        code = function_info()
        if code is not None:
            yield code, function_info.name


def _unwrap(function: "Any") -> "Any":
    """Return the function wrapped by a static method, class method or functools.partial."""
    if type(function) in (staticmethod, classmethod):
        return function.__func__
    return function.func if type(function) is partial else None
