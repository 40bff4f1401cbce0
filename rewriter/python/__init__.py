"""Python: the decorator ``@_functrace_.trace`` and its import, put in and taken out."""

from rewriter.python.inject import plan_inject
from rewriter.python.options import Options
from rewriter.python.strip import plan_strip
from rewriter.python.tree import instrument_tree

__all__ = ["Options", "instrument_tree", "plan_inject", "plan_strip"]
