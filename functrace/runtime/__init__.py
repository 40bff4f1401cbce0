"""What runs in a traced Python program. It loads the standard library's and functrace._native's.

A program may put others in the place of builtins. What those raise would be the program's to catch,
and the calls told meanwhile would raise it again. So each module has behind its imports

    globals()["__builtins__"] = BUILTINS

and its functions, made below that, look names up in what there was at the start.
"""

import builtins
import os
import sys

BUILTINS = dict(vars(builtins))

# The interpreter's own dictionary, should the program bind another object to sys.modules.
MODULES = sys.modules

# Whether the program has rights that whoever started it lacks (setuid, setgid): then the
# environment, which that user chooses, must not decide what is written, and where. This is asked at
# the start, since a daemon may change its user later.
IS_PRIVILEGED = hasattr(os, "geteuid") and (os.getuid(), os.getgid()) != (
    os.geteuid(),
    os.getegid(),
)
