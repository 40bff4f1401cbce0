"""Go: ``defer functrace.Trace()()`` and its import, put in and taken out."""

from rewriter.golang.inject import plan_inject
from rewriter.golang.names import package_level_names
from rewriter.golang.options import Layout, Options
from rewriter.golang.strip import plan_strip

__all__ = ["Layout", "Options", "package_level_names", "plan_inject", "plan_strip"]
