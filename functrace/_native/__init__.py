"""Extension modules: the trace reader, and the recorder, which is optional.

A traced program imports this package for the recorder, so the package itself imports nothing.
"""
