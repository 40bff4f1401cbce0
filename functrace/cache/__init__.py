"""On-disk cache of instrumented code and builds.

functrace runs code from the cache, so no other user may be able to write to it, and a damaged
file must be detected. Traced programs load ``entries`` and ``folders``.
"""
