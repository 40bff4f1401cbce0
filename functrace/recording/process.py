"""Transparent execution of a command: same signals, standard streams and exit status."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass

from functrace.parent_death import tie

# The terminal sends these to every process of the group, so the command already received them;
# another process may send them to this process only.
_OF_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT})
_FORWARDED = _OF_TERMINAL | {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # exit statuses of a shell


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: the exit status that a shell would report.
        pid: the process id; 0 if the command could not be run.
        description: how it ended: ``exit status 1``, ``killed by SIGSEGV``, or why it did not run.
        signal: the number of the signal that killed it, or 0.
    """

    status: int
    pid: int
    description: str
    signal: int = 0


def run(command: Sequence[str], variables: Mapping[str, str]) -> Outcome:
    """Run the command until it ends, forwarding signals; it inherits the standard streams.

    SIGKILL cannot be forwarded, but it also ends the command: see functrace.parent_death.
    """
    tied = tie()
    with _blocked({*_FORWARDED, signal.SIGCHLD}) as before:

        def prepare() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            tied()

        try:
            process = subprocess.Popen(command, env={**os.environ, **variables}, preexec_fn=prepare)
        except OSError as error:
            status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
            return Outcome(status, 0, f"{command[0]}: {error.strerror}")
        status = _wait(process)
    if status < 0:
        return Outcome(128 - status, process.pid, f"killed by {_name(-status)}", -status)
    return Outcome(status, process.pid, f"exit status {status}")


@contextmanager
def _blocked(signals: Set[signal.Signals]) -> Iterator[Set[int]]:
    """Block signals, so that _wait receives them; yield those that were blocked before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Forward signals to the process until it ends; return its exit status."""
    while (status := process.poll()) is None:
        number, by_kernel = _next_signal({*_FORWARDED, signal.SIGCHLD})
        if number != signal.SIGCHLD and not (by_kernel and number in _OF_TERMINAL):
            process.send_signal(number)
    return status


def _next_signal(signals: Set[signal.Signals]) -> tuple[int, bool]:
    """Return the next signal, and whether the kernel sent it, as for the terminal's keys."""
    if hasattr(signal, "sigwaitinfo"):
        found = signal.sigwaitinfo(signals)
        return found.si_signo, found.si_code > 0
    return signal.sigwait(signals), True  # macOS does not report the sender


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
