"""Sources in, instrumented sources out: pure functions over bytes.

Nothing here reads a file, prints, or knows where a tree begins. A language's
package takes the bytes of one file and returns a :class:`~rewriter.plan.Plan`;
:func:`~rewriter.edit.apply` turns a plan's edits into bytes.
"""
