"""The verbs ``functrace on`` and ``functrace off``: switch tracing in a running program."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functrace.cli.render import terminal
from functrace.errors import FunctraceError

if TYPE_CHECKING:
    from functrace.tracefile.rings import Ring

_SIGNALS = {"USR1": signal.SIGUSR1, "USR2": signal.SIGUSR2}
_MAX_WAIT_S = 10.0
_INTERVAL_S = 0.01

_process = click.argument("process", metavar="PROCESS")


@click.command()
@_process
def on(process: str) -> None:
    """Resume tracing in a program that runs with FUNCTRACE=ring.

    PROCESS is a process id or a program name. The program must have been started with
    FUNCTRACE_SIGNAL=USR1 or USR2.
    """
    _switch(process, is_stopped=False)


@click.command()
@_process
def off(process: str) -> None:
    """Stop tracing in a program that runs with FUNCTRACE=ring, until functrace on.

    PROCESS is a process id or a program name. The program must have been started with
    FUNCTRACE_SIGNAL=USR1 or USR2.
    """
    _switch(process, is_stopped=True)


def _switch(process: str, *, is_stopped: bool) -> None:
    from functrace.tracefile.rings import find_ring  # late: it loads numpy

    ring = find_ring(process)
    what = f"{ring.program} ({ring.pid})"
    state = "off" if is_stopped else "on"
    if not ring.is_running:
        raise FunctraceError(f"{what} has ended")
    if _is_stopped(ring) == is_stopped:
        terminal.echo(f"functrace {state}: tracing is {state} already in {what}", err=True)
        return
    _send(ring, what)
    until = time.monotonic() + _MAX_WAIT_S
    while _is_stopped(ring) != is_stopped:
        if time.monotonic() > until:
            raise FunctraceError(
                f"tracing is not {state} yet in {what}, {_MAX_WAIT_S:.0f}s after the signal:"
                " the program may be stopped or in a long call; it will be when that ends"
            )
        time.sleep(_INTERVAL_S)
    terminal.echo(f"functrace {state}: tracing is {state} in {what}", err=True)


def _is_stopped(ring: Ring) -> bool:
    from functrace.tracefile.header import parse_header

    with ring.path.open("rb") as file:
        return parse_header(ring.path, memoryview(file.read(4096))).is_stopped


def _send(ring: Ring, what: str) -> None:
    """Send the signal that stops and resumes tracing, if the program handles it.

    Raises:
        FunctraceError: the program does not, or it cannot be reached.
    """
    number = _SIGNALS.get(_signal_name(ring))
    if number is None:
        raise FunctraceError(
            f"{what} cannot be switched: it was started without FUNCTRACE_SIGNAL;"
            " start it with FUNCTRACE_SIGNAL=USR1"
        )
    if sys.platform != "linux":
        os.kill(ring.pid, number)
        return
    try:
        process = os.pidfd_open(ring.pid)
    except OSError as error:
        raise FunctraceError(f"{what}: {error.strerror}") from None
    try:
        _check(ring, number, what)  # of the process that the descriptor is bound to
        signal.pidfd_send_signal(process, number)
    except OSError as error:
        raise FunctraceError(f"{what}: {error.strerror}") from None
    finally:
        os.close(process)


def _signal_name(ring: Ring) -> str:
    from functrace.tracefile import copy_ring, open_trace

    options = open_trace(ring.path, copy_ring(ring.path)).process.get("options")
    return str(options.get("FUNCTRACE_SIGNAL")) if isinstance(options, dict) else ""


def _check(ring: Ring, number: int, what: str) -> None:
    """Check that a signal reaches the program's handler: it would end any other process."""
    from functrace.tracefile.ending import start_ticks_of

    if start_ticks_of(ring.pid) != ring.start:
        raise FunctraceError(
            f"{what} runs in another namespace of process ids, such as a container;"
            " run functrace there"
        )
    status = Path(f"/proc/{ring.pid}/status").read_text()
    caught = next((line.split()[1] for line in status.splitlines() if "SigCgt" in line), "0")
    if not int(caught, 16) >> (number - 1) & 1:
        raise FunctraceError(
            f"{what} cannot be switched: it does not handle the signal; in Python the main thread"
            " must call the first traced function"
        )
