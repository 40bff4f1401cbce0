"""Go rewriter: inserts and removes ``defer functrace.Trace()()`` and its import."""

from rewriter.golang.aliases import find_package_level_names
from rewriter.golang.inject import plan_inject
from rewriter.golang.options import Layout, Options
from rewriter.golang.rename import rename_function
from rewriter.golang.strip import plan_strip

__all__ = [
    "Layout",
    "Options",
    "find_package_level_names",
    "plan_inject",
    "plan_strip",
    "rename_function",
]
