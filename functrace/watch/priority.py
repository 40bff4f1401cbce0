"""Priority of the watcher and of the processes that save bundles."""

from __future__ import annotations

import os
import sys
import threading

_WATCHING = 10
"""Not the lowest, at which a machine under full load leaves no time to notice why."""
_SAVING = 5
"""Higher, since a ring overwrites what is not saved in time."""


def lower_priority(niceness: int = _WATCHING) -> None:
    """Lower the priority of this thread; on systems other than Linux, of the whole process."""
    thread = threading.get_native_id() if sys.platform == "linux" else 0
    if os.getpriority(os.PRIO_PROCESS, thread) < niceness:
        os.setpriority(os.PRIO_PROCESS, thread, niceness)


def lower_priority_of_saving() -> None:
    """Lower the priority of the thread whose processes save bundles."""
    if sys.platform == "linux":
        lower_priority(_SAVING)
