"""The recorder in C, if it is built and enabled.

This module is loaded at the first traced function, in whatever module that is. It therefore imports
nothing else but sys, not even __future__.
"""

import sys

from functrace.runtime import BUILTINS
from functrace.runtime.system import os

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = BUILTINS


_FALLBACK = "the fallback in Python records calls, slower than the recorder in C"


def _load() -> "tuple[Any, str]":
    if os.environ.get("FUNCTRACE_PURE", "") not in ("", "0"):
        return None, f"{_FALLBACK}: FUNCTRACE_PURE disables that; unset it"
    try:
        import functrace._native._recorder as recorder
    except ModuleNotFoundError:
        python = f"{sys.implementation.name} {sys.version.partition(' ')[0]}"
        return None, f"{_FALLBACK}: that is not built for {python}; install functrace-cli with it"
    except ImportError as error:
        return None, f"{_FALLBACK}: that cannot be loaded ({error}); reinstall functrace-cli"
    return recorder, ""


# The module functrace._native._recorder, or None and a warning of the fallback.
NATIVE, FALLBACK_WARNING = _load()


def hide(function: "Callable[..., Any]") -> "Callable[..., Any]":
    """Return ``function`` wrapped so that the program's tracers and profilers do not see its calls.

    Without the recorder in C, return the function itself.
    """
    hidden: Callable[..., Any] = function if NATIVE is None else NATIVE.hide(function)
    return hidden
