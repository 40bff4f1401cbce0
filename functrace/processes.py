"""Checks of other processes."""

from __future__ import annotations

import os


def is_alive(pid: int) -> bool:
    """Return whether a process with this id exists, under any user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
