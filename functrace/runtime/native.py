"""The recorder in C, where it is built and wanted.

This is loaded at the first traced function, whatever module that is in, and so loads nothing, not
even __future__.
"""

from functrace.runtime import BUILTINS
from functrace.runtime.system import os

TYPE_CHECKING = False  # what is not needed is not waited for
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
    """Return ``function``, called where the program's tracers and profilers do not see it.

    Without C there is no such way, and it is returned itself.
    """
    hidden: Callable[..., Any] = function if NATIVE is None else NATIVE.hide(function)
    return hidden
