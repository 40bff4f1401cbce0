"""A command run as if it had been called without us."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

# The terminal sends them to every process of the group, so the command has them already.
_OF_TERMINAL = ("SIGINT", "SIGQUIT")
_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")

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
    """Run the command to its end; signals and standard streams are its own."""
    with _signals() as processes:
        try:
            process = subprocess.Popen(command, env={**os.environ, **variables})
        except OSError as error:
            status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUN
            return Outcome(status, 0, f"{command[0]}: {error.strerror}")
        processes.append(process)
        status = process.wait()
    if status < 0:
        return Outcome(128 - status, process.pid, f"killed by {_name(-status)}", -status)
    return Outcome(status, process.pid, f"exit status {status}")


@contextmanager
def _signals() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Until the end, signals go to the processes that are put into the list."""
    processes: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for process in processes:
            process.send_signal(number)

    # Functions, not SIG_IGN, which the command would inherit.
    handlers = dict.fromkeys(_PASSED_ON, pass_on) | dict.fromkeys(_OF_TERMINAL, _ignore)
    known = {getattr(signal, n): handler for n, handler in handlers.items() if hasattr(signal, n)}
    before = {number: signal.signal(number, handler) for number, handler in known.items()}
    try:
        yield processes
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    pass


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
