"""Which call chain was this? Instrumented programs, and recorded traces to ask.

In a program, nothing happens unless the environment has FUNCTRACE=record or FUNCTRACE=text:

>>> @functrace.trace
... def sell(item): ...

In a notebook:

>>> trace = functrace.open("x.ftrace")
>>> chains = functrace.fold(trace)
>>> pandas.DataFrame(functrace.calls(trace).columns())
"""

# Nothing is imported here that is loaded after Python's start, so that the standard library can be
# traced as well: whatever is loaded may be decorated, and needs all of this. That holds for
# __future__, too.
import os
import sys
from _thread import RLock

from functrace.runtime import MODULES
from functrace.runtime.registry import register, registered_functions

TYPE_CHECKING = False  # the module typing takes longer to load than all of this
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from functrace.analysis.fold import calls, fold
    from functrace.runtime.control import Control
    from functrace.trace import open_trace as open  # noqa: A004  as gzip.open and others

    _F = TypeVar("_F")

__all__ = ["RUNTIME", "calls", "fold", "open", "snapshot", "start", "stop", "trace"]
__version__ = "0.1.0"

# By this, tools tell it from another package of that name: PyPI has one.
RUNTIME = "functrace-cli 1"

# What reads traces loads NumPy, which a program that is traced must not.
_LAZY = {
    "calls": ("functrace.analysis", "calls"),
    "fold": ("functrace.analysis", "fold"),
    "open": ("functrace.trace", "open_trace"),
}

# Of the standard library, what is loaded where tracing begins.
_NEEDED = frozenset(
    """
    __future__ _collections_abc _opcode_metadata _weakrefset abc annotationlib ast codecs
    collections contextlib copy copyreg ctypes dataclasses dis encodings enum functools genericpath
    importlib inspect io json keyword linecache opcode operator os platform posixpath re reprlib
    selectors signal sre_compile sre_constants sre_parse stat struct subprocess threading token
    tokenize types typing warnings weakref
    """.split()
)

_control: "Control | None" = None
_is_decided = False  # whether the environment has been asked
_lock = RLock()


def trace(function: "_F") -> "_F":
    """Have the calls of ``function`` told from here on, and return it as it is.

    As a decorator, or around a lambda. Of a static method, class method or functools.partial it is
    the function in it; what is no Python function otherwise is left alone.
    """
    if not _is_decided:
        _decide()
    new = register(function)
    if new is not None and _control is not None:
        _control.add(*new)
    return function


def start() -> None:
    """Go on with tracing after stop; if FUNCTRACE=off has kept it from beginning, with a recording.

    Raises:
        RuntimeError: the trace cannot be written.
    """
    _get_control().start()


def stop() -> None:
    """Trace no more calls until start."""
    _get_control().stop()


def snapshot(path: str) -> None:
    """Copy what has been recorded so far to a file, as a trace.

    Raises:
        RuntimeError: nothing is being recorded.
        OSError: the file cannot be written.
    """
    _get_control().snapshot(path)


def _decide() -> None:
    """Begin if the environment asks for it, at the first traced function and never again.

    Where the standard library is traced, the first may be in a module that is needed to begin.
    """
    global _is_decided
    if _is_asked():
        if _is_needed_loading():
            return
        _get_control()
    _is_decided = True


def _is_asked() -> bool:
    """Whether the environment asks for anything."""
    return os.environ.get("FUNCTRACE", "") not in ("", "off") or "FUNCTRACE_SIGNAL" in os.environ


def _hide_trace() -> None:
    """Keep ``trace``, which each definition of a function calls, from debuggers and profilers."""
    from functrace.runtime.native import hide

    if globals()["trace"] is _trace:
        globals()["trace"] = hide(_trace)


def _is_needed_loading() -> bool:
    """Whether such a module is only there in part yet."""
    from functrace.runtime.raw_attributes import exact_str, is_loading

    for name, module in list(MODULES.items()):
        if exact_str(name).partition(".")[0] in _NEEDED and is_loading(module):
            return True
    return False


def _get_control() -> "Control":
    global _control, _is_decided
    with _lock:
        if _control is None:
            _is_decided = True  # what is loaded from here on may have traced functions itself
            from functrace.runtime.control import Control

            _hide_trace()
            control = Control(__version__)
            control.begin()
            _control = control
            for code, name in registered_functions():  # in the meantime, by this thread and others
                control.add(code, name)
        return _control


class _Package(type(sys)):  # type: ignore[misc]  # ModuleType, by any other name
    """A module whose ``trace`` stays: importing the subpackage of that name would bind it anew."""

    def __setattr__(self, name: str, value: object) -> None:
        if name != "trace" or not isinstance(value, type(sys)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> "Any":
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module, attribute = _LAZY[name]
    return getattr(importlib.import_module(module), attribute)


_trace = trace
if _is_asked():
    _hide_trace()
