"""Ends a process when its parent dies, on Linux.

As a script, ``python parent_death.py LOCK COMMAND...`` does so for a command that another program
starts, such as ``go run``. That program may be killed by any signal; the command then gets SIGTERM,
so that it can shut down in order.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # typing takes longer to load than all of this
if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def tie() -> Callable[[], None]:
    """Return a function for the child to call before exec, so that SIGKILL ends it with its parent.

    The calling thread must be the one that forks, and must not end before the process does.
    """
    parent = os.getpid()
    request = _request(signal.SIGKILL)

    def tied() -> None:
        request()
        if os.getppid() != parent:  # the parent ended before the request
            os.kill(os.getpid(), signal.SIGKILL)

    return tied


def _request(number: signal.Signals) -> Callable[[], object]:
    """Return a function that requests a signal at the parent's death; a no-op outside Linux."""
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return lambda: None
    return lambda: prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def main() -> None:
    """Tie this process to its parent, and execute COMMAND.

    An ancestor holds a lock on the file LOCK. If the lock is free, the parent may have ended
    before the request, and this process ends.
    """
    lock, *command = sys.argv[1:]
    _request(signal.SIGTERM)()
    if _is_free(lock):
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"fork/exec {command[0]}: {error.strerror}")


def _is_free(lock: str) -> bool:
    import fcntl

    try:
        with open(lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
