"""Replacement of functions of libraries by wrappers that look like them."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_items, exact_str, get_dict

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = BUILTINS

_FUNCTION: Any = type(lambda: None)
_COPIED = ("__module__", "__name__", "__qualname__", "__doc__")
_TRACEBACK: Any = BaseException.__dict__["__traceback__"]  # a class may override the name


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace a function of a module or class by ``make`` of it, if ``owner`` itself has it."""
    original = vars(owner).get(name)
    if original is None:
        return
    wrapper: Any = make(original)
    if type(wrapper) is _FUNCTION:  # others are like the original by themselves
        for attribute in _COPIED:
            if hasattr(original, attribute):
                setattr(wrapper, attribute, getattr(original, attribute))
        wrapper.__dict__.update(get_dict(original))
        wrapper.__wrapped__ = original  # for inspect.signature
    setattr(owner, name, wrapper)


def replace_inherited(cls: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace a method that ``cls`` inherits for it and its subclasses only."""
    if name not in vars(cls):
        setattr(cls, name, getattr(cls, name))
    replace(cls, name, make)


def around_async(before: Callable[..., Any], after: Callable[..., None]) -> Callable[[Any], Any]:
    """Return a function that wraps a coroutine function, as Tracker.around does a function.

    Args:
        before: called with the arguments of the call. Its result is the call's state.
        after: called with the state, the result and the exception, one of them None, unless the
            state is None.
    """

    def make(original: Any) -> Any:
        async def wrapper(*arguments: Any, **options: Any) -> Any:
            state = before(*arguments, **options)
            try:
                result = await original(*arguments, **options)
            except BaseException as error:
                if state is not None:
                    after(state, None, error)
                remove_frame(error)
                raise
            if state is not None:
                after(state, result, None)
            return result

        return wrapper

    return make


def remove_frame(error: BaseException) -> None:
    """Remove the frame of the wrapper that caught an exception from its traceback."""
    traceback = _TRACEBACK.__get__(error)
    if traceback is not None and traceback.tb_next is not None:
        _TRACEBACK.__set__(error, traceback.tb_next)


def stored_headers(headers: Any) -> list[Any]:
    """Return the pairs of a mapping of headers, without calling a method of the program."""
    if type(headers) is dict:
        return list(headers.items())
    stored = exact_items(get_dict(headers))
    pairs = stored.get("_list")  # of httpx.Headers
    if type(pairs) is list:
        return [pair[1:] for pair in pairs]
    store: Any = stored.get("_store")  # of requests' CaseInsensitiveDict
    if issubclass(type(store), dict):
        return list(dict.values(store))
    container: Any = stored.get("_container")  # of urllib3's HTTPHeaderDict
    if issubclass(type(container), dict):
        return [(name, value) for name, *values in dict.values(container) for value in values]
    return []


def to_text(value: Any) -> str:
    """Return str or bytes as str; '' for others."""
    return value.decode("latin-1") if type(value) is bytes else exact_str(value)
