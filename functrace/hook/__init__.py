"""``functrace run``: a Python program with its modules instrumented in memory.

In the program's process is as little as can be: a ``get_code`` for the loaders that compile
sources (:mod:`functrace.hook.loader`), which reads from a cache outside the source tree
(:mod:`functrace.hook.store`). What is not in it is compiled by a process of its own
(:mod:`functrace.hook.server`), so that the program never holds a rewriter, and what is imported
for one is not imported for the other. Modules that the program's process loads import nothing
that Python has not loaded before the program begins.
"""
