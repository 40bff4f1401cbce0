"""A command run as if it had been called without us."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass

from functrace.parent_death import tie

# The terminal sends them to every process of the group, so the command has them already; but
# they may as well come from somebody who means but us.
_OF_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT})
_PASSED_ON = _OF_TERMINAL | {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}

_NOT_FOUND, _NOT_RUN = 127, 126  # as a shell has it


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: the exit status, as a shell would have it.
        pid: of the command's process; 0 if it could not be run.
        ended: what there is to say of the end: ``exit status 1``, ``killed by SIGSEGV``.
        signal: the number of the signal that ended it, or 0.
    """

    status: int
    pid: int
    ended: str
    signal: int = 0


def run(command: Sequence[str], variables: Mapping[str, str]) -> Outcome:
    """Run the command to its end; signals and standard streams are its own.

    SIGKILL, which cannot be passed on, ends it with this process: see functrace.parent_death.
    """
    tied = tie()
    with _held({*_PASSED_ON, signal.SIGCHLD}) as before:

        def prepare() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            tied()

        try:
            process = subprocess.Popen(command, env={**os.environ, **variables}, preexec_fn=prepare)
        except OSError as error:
            status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUN
            return Outcome(status, 0, f"{command[0]}: {error.strerror}")
        status = _wait(process)
    if status < 0:
        return Outcome(128 - status, process.pid, f"killed by {_name(-status)}", -status)
    return Outcome(status, process.pid, f"exit status {status}")


@contextmanager
def _held(signals: Set[signal.Signals]) -> Iterator[Set[int]]:
    """Hold signals back, for _wait to take; yields those that were held back before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Pass signals on to the process until it ends."""
    while (status := process.poll()) is None:
        number, by_kernel = _next({*_PASSED_ON, signal.SIGCHLD})
        if number != signal.SIGCHLD and not (by_kernel and number in _OF_TERMINAL):
            process.send_signal(number)
    return status


def _next(signals: Set[signal.Signals]) -> tuple[int, bool]:
    """The next signal, and whether no process sent it: then the terminal did."""
    if hasattr(signal, "sigwaitinfo"):
        found = signal.sigwaitinfo(signals)
        return found.si_signo, found.si_code > 0
    return signal.sigwait(signals), True  # macOS does not tell


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
