"""Text of an exception that leaves a call: its type and message, without running program code.

functrace/_native/_recorder.pyi defines the rules.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str

globals()["__builtins__"] = BUILTINS

MAX_TEXT_BYTES = 200  # bytes
_MAX_INPUT_BYTES = 65_536
_MAX_INT_BITS = 128

_ENDS_ITERATION = (StopIteration, StopAsyncIteration, GeneratorExit)
_SIMPLE = (str, bytes, int, float, bool, type(None))

# Descriptors of the base class: a subclass may override these names.
_ARGS: Any = BaseException.__dict__["args"]
_ATTRIBUTES: Any = BaseException.__dict__["__dict__"]
_TRACEBACK: Any = BaseException.__dict__["__traceback__"]
# Classes whose str() runs no program code: fields that it uses besides args.
_FIELDS: dict[type, tuple[str, ...]] = {
    BaseException: (),
    KeyError: (),
    OSError: ("errno", "strerror", "filename", "filename2"),
    ImportError: ("msg",),
}
# Classes whose str() uses these fields instead of args.
_OWN_FIELDS: dict[type, tuple[str, ...]] = {
    SyntaxError: ("msg", "filename", "lineno"),
    UnicodeDecodeError: ("encoding", "reason"),
    UnicodeEncodeError: ("encoding", "reason"),
    UnicodeTranslateError: ("reason",),
}
# The type that the object of a Unicode error must have.
_OBJECTS = {UnicodeDecodeError: bytes, UnicodeEncodeError: str, UnicodeTranslateError: str}
if hasattr(builtins, "BaseExceptionGroup"):  # since Python 3.11
    _OWN_FIELDS[builtins.BaseExceptionGroup] = ("message",)

_MRO: Any = type.__dict__["__mro__"]
_CLASS_DICT: Any = type.__dict__["__dict__"]
_QUALNAME: Any = type.__dict__["__qualname__"]
_MODULE: Any = type.__dict__["__module__"]
_FLAGS: Any = type.__dict__["__flags__"]
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: the class is not implemented in C


def is_error(exception: BaseException) -> bool:
    """Return whether it is an error rather than the end of an iterator."""
    return not issubclass(type(exception), _ENDS_ITERATION)


def describe_exception(exception: BaseException) -> bytes:
    """Return type and message as UTF-8, of any length."""
    cls = type(exception)
    name, module = exact_str(_QUALNAME.__get__(cls)), _MODULE.__get__(cls)
    if type(module) is str and module not in ("builtins", "__main__"):
        name = f"{module}.{name}"
    message = _text(exception, cls)
    return (f"{name}: {message}" if message else name).encode("utf-8", "backslashreplace")


def is_own(exception: Exception) -> bool:
    """Return whether it was raised by functrace's own code, so that the program must not see it.

    The traceback of an exception that a signal handler of the program raises ends in the program's
    code, or the exception's class is not built in.
    """
    if _FLAGS.__get__(type(exception)) & _HEAP_TYPE:
        return False
    traceback = _TRACEBACK.__get__(exception)
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is None or traceback.tb_frame.f_builtins is BUILTINS


def _text(exception: BaseException, cls: type[BaseException]) -> str:
    """Return the str() of the exception, or of its arguments, or its attributes."""
    str_class: Any = _str_class(cls)
    if not _is_plain(exception, str_class):
        if not _are_simple(_ARGS.__get__(exception)):
            return _attributes(exception)
        str_class = BaseException
    try:
        message: str = str_class.__str__(exception) or _attributes(exception)
        return message
    except Exception:  # noqa: BLE001  python -bb makes str() of bytes an error
        return ""


def _is_plain(exception: BaseException, str_class: type) -> bool:
    """Return whether that class's str() of it runs no program code and is fast."""
    if type(str_class) is not type:  # with a metaclass, hashing it may run program code
        return False
    fields: Any = str_class.__dict__
    names = _OWN_FIELDS.get(str_class)
    parts = () if names is not None else _ARGS.__get__(exception)
    names = _FIELDS.get(str_class) if names is None else names
    if names is None:
        return False
    if str_class in _OBJECTS:
        about, start = (fields[name].__get__(exception) for name in ("object", "start"))
        if type(about) is not _OBJECTS[str_class] or start < 0:
            return False
    return _are_simple([*parts, *(fields[name].__get__(exception) for name in names)])


def _attributes(exception: BaseException) -> str:
    """Return simple public attributes: ``status=404, detail='gone'``."""
    attributes = _ATTRIBUTES.__get__(exception)
    parts: list[str] = []
    size = length = 0
    for name, value in list(attributes.items()) if type(attributes) is dict else ():
        if type(name) is not str or name[:1] == "_" or value is None or length > MAX_TEXT_BYTES:
            continue
        length_in_bytes = len(value) if type(value) in (str, bytes) else 0
        size += length_in_bytes
        if (not length_in_bytes or size <= _MAX_INPUT_BYTES) and _are_simple([value]):
            parts.append(f"{name}={value!r}")
            length += len(parts[-1])
    return ", ".join(parts)


def _are_simple(parts: Sequence[Any]) -> bool:
    """Return whether str() and repr() of them run no program code and are fast."""
    if not all(type(part) in _SIMPLE for part in parts):
        return False
    size = sum(len(part) for part in parts if type(part) in (str, bytes))
    wide = any(type(part) is int and part.bit_length() > _MAX_INT_BITS for part in parts)
    return size <= _MAX_INPUT_BYTES and not wide


def _str_class(cls: type[BaseException]) -> type:
    """Return the class that defines the ``__str__`` of an exception class."""
    bases = _MRO.__get__(cls)
    found: type = next(base for base in bases if "__str__" in _CLASS_DICT.__get__(base))
    return found
