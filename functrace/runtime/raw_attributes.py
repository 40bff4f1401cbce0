"""Attributes as they are stored in an object, read without running program code.

``getattr`` runs properties, ``__getattr__`` and methods of a metaclass; ``isinstance`` reads
``__class__``, which may be a property. These functions read the slots and dictionaries that C
maintains, whatever the program's classes override.

This module is loaded at the first traced function, in whatever module that is. It therefore imports
nothing else, not even __future__.
"""

import builtins

from functrace.runtime import BUILTINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

globals()["__builtins__"] = BUILTINS

_MRO = type.__dict__["__mro__"]
_CLASS_DICT = type.__dict__["__dict__"]
_QUALNAME = type.__dict__["__qualname__"]
_FLAGS: "Any" = type.__dict__["__flags__"]
_IS_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: no class of Python's own

_MODULE = type(builtins)
_MODULE_DICT: "Any" = _CLASS_DICT.__get__(_MODULE)["__dict__"]
_GETSET = type(_QUALNAME)  # only C creates these
_FUNCTION = type(lambda: None)
_BUILTIN = type(len)
_WRAPPERS = 20  # the maximum depth; more indicates a mistake


class _Probe:
    __slots__ = ("slot",)

    def method(self) -> None: ...


_SLOT = type(_Probe.__dict__["slot"])
_METHOD: "Any" = type(_Probe().method)
_METHOD_FUNCTION: "Any" = _METHOD.__dict__["__func__"]


def exact_str(value: "Any") -> str:
    """Return ``value`` as an exact str, or '' if it is not a str."""
    return str.__str__(value) if issubclass(type(value), str) else ""


def exact_items(items: "Any") -> "dict[str, Any]":
    """Return the items whose keys are exact str.

    A look-up among others runs ``__eq__`` of a key that has the same hash.
    """
    return {key: value for key, value in list(items.items()) if type(key) is str}


def get_attribute(thing: "Any", name: str) -> "Any":
    """Return the attribute stored in a slot or the dictionary of ``thing``, or None."""
    slot = _find(type(thing), name, _SLOT)
    value = None if slot is None else _get(slot, thing)
    return exact_items(get_dict(thing)).get(name) if value is None else value


def get_dict(thing: "Any") -> "dict[str, Any]":
    """Return the dictionary of ``thing``, or an empty one."""
    cls = type(thing)  # of a module without a search, since each outbound call reads one
    place = _MODULE_DICT if cls is _MODULE else _find(cls, "__dict__", _GETSET, _SLOT)
    found = None if place is None else _get(place, thing)
    return found if type(found) is dict else {}


def get_class_attribute(cls: "Any", name: str) -> "Any":
    """Return the attribute that a class or the first of its bases defines, or None."""
    for base in _MRO.__get__(cls) if issubclass(type(cls), type) else ():
        names = _names(base)
        if name in names:
            return names[name]
    return None


def unwrap_function(function: "Any") -> "Any":
    """Return the Python function in a method or beneath wrappers, or None."""
    for _ in range(_WRAPPERS):
        cls = type(function)
        if cls is _FUNCTION:
            return function
        if cls is _METHOD:
            function = _METHOD_FUNCTION.__get__(function)
        else:
            place = _find(cls, "__wrapped__", _GETSET)  # for a wrapper implemented in C
            function = (
                get_attribute(function, "__wrapped__") if place is None else _get(place, function)
            )
    return None


def get_qualname(thing: "Any") -> str:
    """Return the qualified name of a function, class, coroutine or callable object, or ''."""
    cls = type(thing)
    if cls is _METHOD:
        return get_qualname(_METHOD_FUNCTION.__get__(thing))
    if cls is _BUILTIN:
        return _builtin_name(thing)
    if issubclass(cls, type):
        return exact_str(_QUALNAME.__get__(thing))
    place = _find(cls, "__qualname__", _GETSET)
    return exact_str(get_attribute(thing, "__qualname__") if place is None else _get(place, thing))


def is_loading(module: "Any") -> bool:
    """Return whether a module of sys.modules is partly loaded, or loaded lazily."""
    if exact_str(_QUALNAME.__get__(type(module))) == "_LazyModule":
        return True
    return get_attribute(get_dict(module).get("__spec__"), "_initializing") is True


def _builtin_name(function: "Any") -> str:
    """Return the qualified name of a built-in function.

    The getter of __qualname__ consults the metaclass of the object that a method is bound to.
    """
    owner = function.__self__
    cls = owner if issubclass(type(owner), type) else type(owner)
    is_function = owner is None or issubclass(cls, _MODULE)
    name: str = function.__name__
    return name if is_function else f"{exact_str(_QUALNAME.__get__(cls))}.{name}"


def _find(cls: "Any", name: str, *kinds: type) -> "Any":
    """Return the first descriptor of these kinds, ignoring others that hide it."""
    for base in _MRO.__get__(cls):
        found = _names(base).get(name)
        if type(found) in kinds:
            return found
    return None


def _names(cls: type) -> "Any":
    """Return the attributes that a class itself defines."""
    names: Any = _CLASS_DICT.__get__(cls)
    return exact_items(names) if _FLAGS.__get__(cls) & _IS_HEAP_TYPE else names


def _get(descriptor: "Any", thing: "Any") -> "Any":
    try:
        return descriptor.__get__(thing)
    except (AttributeError, TypeError):  # empty, or defined for another class
        return None
