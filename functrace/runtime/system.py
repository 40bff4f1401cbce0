"""The modules os and time as they were at the start, where nobody finds them who replaces them.

Tests with a file system of their own (pyfakefs) or a clock (freezegun) put those into all modules
of the process, in the place of the modules and functions that they know.
"""

import sys
from _functools import partial  # type: ignore[import-not-found]  # functools takes long to load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    import os as os
    import time as time
else:
    import os as _os
    import time as _time

    _Kept = type(sys.implementation)  # SimpleNamespace
    os, time = _Kept(**vars(_os)), _Kept(**vars(_time))

# The clock of the traces that the recorder in Python writes. The partial hides the function itself,
# which freezegun looks for.
clock: "Callable[[], int]" = partial(time.monotonic_ns)
CLOCK = "monotonic clock of the system"
TICKS_PER_SECOND = 1_000_000_000
