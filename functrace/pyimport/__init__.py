"""``functrace run``: a Python program with its modules instrumented in memory.

In the program's process is as little as can be: a ``get_code`` for the loaders that compile
sources (:mod:`functrace.pyimport.loader`), which reads from a cache outside the source tree
(:mod:`functrace.pyimport.code_cache`). What is not in it is compiled by a process of its own
(:mod:`functrace.pyimport.compile_server`), so that the program never loads a rewriter, and what the
two import stays apart. Modules that the program's process loads import nothing that Python has not
loaded before the program begins.
"""
