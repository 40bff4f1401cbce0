"""The clock of traces that Python code writes."""

from __future__ import annotations

from functools import partial

from functrace.runtime import BUILTINS
from functrace.runtime.system import time

globals()["__builtins__"] = BUILTINS

clock = partial(time.monotonic_ns)  # and not the function itself, which freezegun looks for
CLOCK = "monotonic clock of the system"
SECOND = 1_000_000_000  # ticks
