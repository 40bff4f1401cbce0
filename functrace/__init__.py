"""Which call chain was this? Go sources in, traced programs out, and recorded traces to ask.

>>> trace = functrace.open("x.ftrace")
>>> chains = functrace.fold(trace)
>>> pandas.DataFrame(functrace.calls(trace).columns())
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functrace.analysis.fold import calls, fold
    from functrace.trace import open_trace as open  # noqa: A004  as gzip.open and others

__all__ = ["calls", "fold", "open"]
__version__ = "0.1.0"

# What reads traces loads NumPy, which a program that is traced must not.
_LAZY = {
    "calls": ("functrace.analysis", "calls"),
    "fold": ("functrace.analysis", "fold"),
    "open": ("functrace.trace", "open_trace"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(importlib.import_module(module), attribute)
