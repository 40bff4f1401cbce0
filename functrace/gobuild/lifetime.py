"""Termination of the go command and its programs or tests when functrace is killed (Linux).

The kernel ends the go command with its parent, but not the go command's own children: so the
go command starts programs through functrace.parent_death.
"""

from __future__ import annotations

import fcntl
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from functrace import parent_death
from functrace.gobuild.go_command import GoCommand, last
from functrace.gobuild.go_environment import Environment
from functrace.gobuild.session import Session


def flags(session: Session, command: GoCommand, where: Environment) -> list[str]:
    """Return the flags that make the go command start programs through parent_death."""
    if command.verb not in ("run", "test") or not where.is_for_this_system:
        return []
    if sys.platform != "linux" or last(where.flags, "exec") is not None:
        return []
    words = [sys.executable, "-I", "-S", parent_death.__file__, str(_lock(session))]
    return [f"-exec={shlex.join(words)}"]


@contextmanager
def locked(session: Session) -> Iterator[None]:
    """Hold a lock that the kernel releases when this process ends."""
    with _lock(session).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(session: Session) -> Path:
    return Path(session.folder) / "running"
