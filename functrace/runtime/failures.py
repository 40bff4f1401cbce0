"""What is told of an exception that passes through a call: its type and, if that runs no code of
the program, its text. _native/_recorder.pyi has the rules."""

from __future__ import annotations

from typing import Any

from functrace.runtime import BUILTINS

globals()["__builtins__"] = BUILTINS

MOST = 200  # bytes
_LONGEST = 65_536
_WIDEST = 128  # bits of an int

_UNTOLD = (StopIteration, StopAsyncIteration, GeneratorExit)
_PLAIN = (BaseException, KeyError, OSError, ImportError, SyntaxError)
_SIMPLE = (str, bytes, int, float, bool, type(None))

# Past whatever the class says of these names.
_ARGS: Any = BaseException.__dict__["args"]
_FIELDS: tuple[tuple[type[BaseException], Any], ...] = tuple(
    (cls, cls.__dict__[name])
    for cls, names in (
        (OSError, ("errno", "strerror", "filename", "filename2")),
        (ImportError, ("msg",)),
        (SyntaxError, ("msg", "filename", "lineno")),
    )
    for name in names
    if name in cls.__dict__
)
_MRO: Any = type.__dict__["__mro__"]
_QUALNAME: Any = type.__dict__["__qualname__"]
_MODULE: Any = type.__dict__["__module__"]


def is_told(exception: BaseException) -> bool:
    """Whether it is an error, and not how an iterator ends."""
    return not issubclass(type(exception), _UNTOLD)


def describe(exception: BaseException) -> bytes:
    """Type and text, as UTF-8, of any length."""
    cls = type(exception)
    name, module = _QUALNAME.__get__(cls), _MODULE.__get__(cls)
    if type(module) is str and module not in ("builtins", "__main__"):
        name = f"{module}.{name}"
    text = _text(exception, cls)
    return (f"{name}: {text}" if text else str(name)).encode("utf-8", "backslashreplace")


def _text(exception: BaseException, cls: type[BaseException]) -> str:
    if _teller(cls) not in _PLAIN:
        return ""
    parts = [] if issubclass(cls, SyntaxError) else list(_ARGS.__get__(exception))
    parts += [f.__get__(exception) for owner, f in _FIELDS if issubclass(cls, owner)]
    if not all(type(part) in _SIMPLE for part in parts):
        return ""
    long = sum(len(part) for part in parts if type(part) in (str, bytes)) > _LONGEST
    if long or any(type(part) is int and part.bit_length() > _WIDEST for part in parts):
        return ""
    try:
        return str(exception)
    except Exception:  # noqa: BLE001  str of bytes, where python -bb makes that an error
        return ""


def _teller(cls: type[BaseException]) -> type:
    """The class whose ``__str__`` it is."""
    found: type = next(base for base in _MRO.__get__(cls) if "__str__" in base.__dict__)
    return found
