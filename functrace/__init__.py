"""Call chains of instrumented programs, and the analysis of recorded traces.

Tracing a program does nothing unless the environment contains FUNCTRACE=record or FUNCTRACE=text:

>>> @functrace.trace
... def sell(item): ...

In a notebook:

>>> with functrace.open("x.ftrace") as trace:
...     slow = trace.calls().filter(function="store.*", min_duration="5ms").to_pandas()
"""

# Nothing is imported here that Python has not loaded at its start, not even __future__: the
# standard library can be traced as well, and any module loaded here may contain traced functions,
# which need this module.
import os
from _thread import RLock

from functrace.runtime import MODULES
from functrace.runtime.registry import register, registered_functions

TYPE_CHECKING = False  # the module typing takes longer to load than all of this
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from functrace.notebook import open_traces as open  # noqa: A004  as gzip.open and others
    from functrace.runtime.control import Control

    _F = TypeVar("_F")

__all__ = ["RUNTIME", "open", "snapshot", "start", "stop", "trace"]
__version__ = "0.1.0"

# Tools identify this package by this value: PyPI has another one of that name.
RUNTIME = "functrace-cli 1"

# Standard library modules that are loaded when tracing begins.
_DEPENDENCIES = frozenset(
    """
    __future__ _collections_abc _opcode_metadata _weakrefset abc annotationlib ast codecs
    collections contextlib copy copyreg ctypes dataclasses dis encodings enum functools genericpath
    importlib inspect io json keyword linecache opcode operator os platform posixpath re reprlib
    selectors signal sre_compile sre_constants sre_parse stat struct subprocess sysconfig threading
    token tokenize types typing warnings weakref
    """.split()
)

_control: "Control | None" = None
_is_decided = False  # whether the environment has been read
_lock = RLock()


def trace(function: "_F") -> "_F":
    """Trace the calls of ``function`` from now on, and return it unchanged.

    Use it as a decorator or around a lambda. Of a static method, class method or functools.partial,
    the wrapped function is traced. Other callables that are not Python functions are left alone.
    """
    if not _is_decided:
        _decide()
    new = register(function)
    if new is not None and _control is not None:
        _control.add(*new)
    return function


def start() -> None:
    """Resume tracing after stop, or begin a recording if FUNCTRACE=off prevented it.

    Raises:
        RuntimeError: the trace cannot be written.
    """
    _get_control().start()


def stop() -> None:
    """Stop tracing calls until start."""
    _get_control().stop()


def snapshot(path: str) -> None:
    """Copy the trace recorded so far to a file.

    Raises:
        RuntimeError: nothing is being recorded.
        OSError: the file cannot be written.
    """
    _get_control().snapshot(path)


def _decide() -> None:
    """Begin tracing if the environment requests it, once, at the first traced function.

    If the standard library is traced, that function may be in a module that tracing itself needs.
    """
    global _is_decided
    if _is_requested():
        if _is_dependency_loading():
            return
        _get_control()
    _is_decided = True


def _is_requested() -> bool:
    """Return whether the environment requests tracing."""
    return os.environ.get("FUNCTRACE", "") not in ("", "off") or "FUNCTRACE_SIGNAL" in os.environ


def _hide_trace() -> None:
    """Hide ``trace``, which runs at each function definition, from debuggers and profilers."""
    from functrace.runtime.native import hide

    if globals()["trace"] is _trace:
        globals()["trace"] = hide(_trace)


def _is_dependency_loading() -> bool:
    """Return whether a module that tracing needs is only partly loaded."""
    from functrace.runtime.raw_attributes import exact_str, is_loading

    for name, module in list(MODULES.items()):
        if exact_str(name).partition(".")[0] in _DEPENDENCIES and is_loading(module):
            return True
    return False


def _get_control() -> "Control":
    global _control, _is_decided
    with _lock:
        if _control is None:
            _is_decided = True  # modules loaded from here on may contain traced functions
            from functrace.runtime.control import Control

            _hide_trace()
            control = Control(__version__)
            control.begin()
            _control = control
            for (
                code,
                name,
            ) in registered_functions():  # registered in the meantime
                control.add(code, name)
        return _control


def __getattr__(name: str) -> "Any":
    if name != "open":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Reading traces requires NumPy, which a traced program must not load.
    from functrace.notebook import open_traces

    return open_traces


_trace = trace
if _is_requested():
    _hide_trace()
