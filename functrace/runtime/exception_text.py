"""What is told of an exception that passes through a call: its type and what else there is to warn
without running code of the program. _native/_recorder.pyi has the rules."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str

globals()["__builtins__"] = BUILTINS

MAX_TEXT_BYTES = 200  # bytes
_MAX_INPUT_BYTES = 65_536
_MAX_INT_BITS = 128  # bits of an int

_ENDS_ITERATION = (StopIteration, StopAsyncIteration, GeneratorExit)
_SIMPLE = (str, bytes, int, float, bool, type(None))

# Past whatever the class says of these names.
_ARGS: Any = BaseException.__dict__["args"]
_ATTRIBUTES: Any = BaseException.__dict__["__dict__"]
_TRACEBACK: Any = BaseException.__dict__["__traceback__"]
# Of those whose str() runs no code of the program: what it is made of besides args, or
_FIELDS: dict[type, tuple[str, ...]] = {
    BaseException: (),
    KeyError: (),
    OSError: ("errno", "strerror", "filename", "filename2"),
    ImportError: ("msg",),
}
# in place of them; and of what type the object is that a Unicode error is about.
_OWN_FIELDS: dict[type, tuple[str, ...]] = {
    SyntaxError: ("msg", "filename", "lineno"),
    UnicodeDecodeError: ("encoding", "reason"),
    UnicodeEncodeError: ("encoding", "reason"),
    UnicodeTranslateError: ("reason",),
}
_OBJECTS = {UnicodeDecodeError: bytes, UnicodeEncodeError: str, UnicodeTranslateError: str}
if hasattr(builtins, "BaseExceptionGroup"):  # from Python 3.11 on
    _OWN_FIELDS[builtins.BaseExceptionGroup] = ("message",)

_MRO: Any = type.__dict__["__mro__"]
_CLASS_DICT: Any = type.__dict__["__dict__"]
_QUALNAME: Any = type.__dict__["__qualname__"]
_MODULE: Any = type.__dict__["__module__"]
_FLAGS: Any = type.__dict__["__flags__"]
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: it was not made in C


def is_error(exception: BaseException) -> bool:
    """Whether it is an error, and not how an iterator ends."""
    return not issubclass(type(exception), _ENDS_ITERATION)


def describe_exception(exception: BaseException) -> bytes:
    """Type and text, as UTF-8, of any length."""
    cls = type(exception)
    name, module = exact_str(_QUALNAME.__get__(cls)), _MODULE.__get__(cls)
    if type(module) is str and module not in ("builtins", "__main__"):
        name = f"{module}.{name}"
    said = _text(exception, cls)
    return (f"{name}: {said}" if said else name).encode("utf-8", "backslashreplace")


def is_own(exception: Exception) -> bool:
    """Whether it comes from functrace's code alone: nothing of the program is to see it then.

    What a signal's handler of the program raises ends in code of its own, or has another class.
    """
    if _FLAGS.__get__(type(exception)) & _HEAP_TYPE:
        return False
    traceback = _TRACEBACK.__get__(exception)
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is None or traceback.tb_frame.f_builtins is BUILTINS


def _text(exception: BaseException, cls: type[BaseException]) -> str:
    """What its str() says, or its arguments, or its attributes."""
    str_class: Any = _str_class(cls)
    if not _is_plain(exception, str_class):
        if not _are_simple(_ARGS.__get__(exception)):
            return _attributes(exception)
        str_class = BaseException
    try:
        said: str = str_class.__str__(exception) or _attributes(exception)
        return said
    except Exception:  # noqa: BLE001  str of bytes, where python -bb makes that an error
        return ""


def _is_plain(exception: BaseException, str_class: type) -> bool:
    """Whether that class's str() of it runs no code of the program, and takes little time."""
    if type(str_class) is not type:  # its hash may be code of the program's
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
    """``status=404, detail='gone'``: those that are simple, and begin with no underscore."""
    attributes = _ATTRIBUTES.__get__(exception)
    told: list[str] = []
    size = length = 0
    for name, value in list(attributes.items()) if type(attributes) is dict else ():
        if type(name) is not str or name[:1] == "_" or value is None or length > MAX_TEXT_BYTES:
            continue
        taken = len(value) if type(value) in (str, bytes) else 0
        size += taken
        if (not taken or size <= _MAX_INPUT_BYTES) and _are_simple([value]):
            told.append(f"{name}={value!r}")
            length += len(told[-1])
    return ", ".join(told)


def _are_simple(parts: Sequence[Any]) -> bool:
    """Whether str() and repr() of them run no code of the program, and take little time."""
    if not all(type(part) in _SIMPLE for part in parts):
        return False
    size = sum(len(part) for part in parts if type(part) in (str, bytes))
    wide = any(type(part) is int and part.bit_length() > _MAX_INT_BITS for part in parts)
    return size <= _MAX_INPUT_BYTES and not wide


def _str_class(cls: type[BaseException]) -> type:
    """The class whose ``__str__`` it is."""
    bases = _MRO.__get__(cls)
    found: type = next(base for base in bases if "__str__" in _CLASS_DICT.__get__(base))
    return found
