"""What functrace keeps between runs: in which folder, in which form, for how long.

Code and builds are read from the cache, so nobody else may be able to write to it, and damage to
a file must not go unnoticed. Traced programs load ``entries`` and ``folders``.
"""
