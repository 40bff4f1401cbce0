"""Processes that are not ours."""

from __future__ import annotations

import os


def is_alive(pid: int) -> bool:
    """Whether there is a process with this id, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
