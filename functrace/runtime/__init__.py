"""The part of functrace that runs inside a traced Python program.

It imports only the standard library and functrace._native.

A program may replace builtins. Errors that a replacement raises would reach the program, and calls
that it makes would be recorded. Therefore each module contains, after its imports,

    globals()["__builtins__"] = BUILTINS

so that functions defined below that line use the builtins that existed at the start.
"""

import builtins
import os
import sys

BUILTINS = dict(vars(builtins))

# The interpreter's own dictionary, in case the program binds another object to sys.modules.
MODULES = sys.modules

# Whether the program has rights that the user who started it lacks (setuid, setgid). That user
# controls the environment, which must not decide what is written and where. This is determined at
# the start because a daemon may change its user later.
IS_PRIVILEGED = hasattr(os, "geteuid") and (os.getuid(), os.getgid()) != (
    os.geteuid(),
    os.getegid(),
)
