"""Source rewriter: pure functions from source bytes to instrumented source bytes.

Nothing here reads a file or prints. A language's package takes the bytes of one
file and returns a :class:`~rewriter.plan.Plan`; :func:`~rewriter.edit.apply`
turns the plan's edits into bytes.
"""
