"""Import hook that instruments a Python program's modules in memory, for ``functrace run``.

The program's process contains as little as possible: a ``get_code`` for the loaders that compile
sources (:mod:`functrace.pyimport.loader`), which reads from a cache outside the source tree
(:mod:`functrace.pyimport.code_cache`). On a cache miss a separate process compiles
(:mod:`functrace.pyimport.compile_server`), so that the program never loads the rewriter and the
imports of the two stay separate. Modules that the program's process loads import nothing that
Python has not loaded before the program begins.
"""
