"""The modules os and time as they were at the start, and the clock of the recorder in Python.

Tests that simulate a file system (pyfakefs) or a clock (freezegun) replace those modules, and the
functions they know, in all modules of the process. They do not find these copies.
"""

import sys
from _functools import partial  # type: ignore[import-not-found]  # functools takes long to load

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os as os
    import time as time
    from collections.abc import Callable
else:
    import os as _os
    import time as _time

    _Namespace = type(sys.implementation)  # SimpleNamespace
    os, time = _Namespace(**vars(_os)), _Namespace(**vars(_time))

# The clock of traces written by the recorder in Python. freezegun searches modules for the function
# itself; the partial hides it.
clock: "Callable[[], int]" = partial(time.monotonic_ns)
CLOCK = "monotonic clock of the system"
TICKS_PER_SECOND = 1_000_000_000
