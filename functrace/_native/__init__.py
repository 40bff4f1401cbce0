"""Extension modules: the recorder, which may be missing, and the trace reader.

A traced program imports this package for the recorder, so it imports nothing itself.
"""
