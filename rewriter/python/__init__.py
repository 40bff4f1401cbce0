"""Python rewriter: inserts and removes the decorator ``@_functrace_.trace`` and its import."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewriter.python.inject import plan_inject
    from rewriter.python.options import Options
    from rewriter.python.strip import plan_strip
    from rewriter.python.tree import instrument_tree

__all__ = ["Options", "instrument_tree", "plan_inject", "plan_strip"]

# Loaded on first use: the import hook, which delays a program's start, needs only the tree.
_MODULES = {
    "Options": "options",
    "instrument_tree": "tree",
    "plan_inject": "inject",
    "plan_strip": "strip",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
