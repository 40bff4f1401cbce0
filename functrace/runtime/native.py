"""The recorder in C, if it is built and enabled.

This module is loaded at the first traced function, in whatever module that is. It therefore imports
nothing else, not even __future__.
"""

from functrace.runtime import BUILTINS
from functrace.runtime.system import os

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = BUILTINS


def _load() -> "Any":
    if os.environ.get("FUNCTRACE_PURE", "") not in ("", "0"):
        return None
    try:
        from functrace._native import _recorder
    except ImportError:
        return None
    return _recorder


# The module functrace._native._recorder, or None.
NATIVE = _load()


def hide(function: "Callable[..., Any]") -> "Callable[..., Any]":
    """Return ``function`` wrapped so that the program's tracers and profilers do not see its calls.

    Without the recorder in C, return the function itself.
    """
    hidden: Callable[..., Any] = function if NATIVE is None else NATIVE.hide(function)
    return hidden
