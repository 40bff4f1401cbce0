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
    """Resume tracing in a running program, or start it in a Python program.

    PROCESS is a process id or the name of a program that runs with FUNCTRACE=ring and
    FUNCTRACE_SIGNAL=USR1 or USR2. In Python 3.14 and newer it may be the process id of any program:
    functrace on starts a ring there.
    """
    _switch(process, is_on=True)


@click.command()
@_process
def off(process: str) -> None:
    """Stop tracing in a running program, until functrace on.

    PROCESS is a process id or the name of a program that runs with FUNCTRACE=ring and
    FUNCTRACE_SIGNAL=USR1 or USR2. With Python 3.14 and newer the signal is not needed.
    """
    _switch(process, is_on=False)


def _switch(process: str, *, is_on: bool) -> None:
    from functrace.tracefile.rings import find_ring, find_rings  # late: it loads numpy

    running = [ring for ring in find_rings(process) if ring.is_running]
    if is_on and not running and process.isascii() and process.isdigit():
        what = f"process {process}"
        _switch_remotely(int(process), what, is_on=True)
    else:
        ring = find_ring(process)
        what = f"{ring.program} ({ring.pid})"
        if not ring.is_running:
            raise FunctraceError(f"{what} has ended")
        if _is_on(ring) == is_on:
            state = f"{_state(is_on)} already"
            terminal.echo(f"functrace {_state(is_on)}: tracing is {state} in {what}", err=True)
            return
        _switch_ring(ring, what, is_on=is_on)
    terminal.echo(f"functrace {_state(is_on)}: tracing is {_state(is_on)} in {what}", err=True)


def _state(is_on: bool) -> str:
    return "on" if is_on else "off"


def _switch_ring(ring: Ring, what: str, *, is_on: bool) -> None:
    from functrace.tracefile import open_trace

    # What is overwritten meanwhile does not matter: the description of the process stays.
    facts = open_trace(ring.path, memoryview(ring.path.read_bytes())).process
    options = facts.get("options")
    name = options.get("FUNCTRACE_SIGNAL") if isinstance(options, dict) else None
    number = _SIGNALS.get(str(name))
    if number is not None:
        _send(ring, number, what)
        _wait(ring, what, is_on=is_on)
    elif str(facts.get("runtime")).startswith("CPython"):
        _switch_remotely(ring.pid, what, is_on=is_on)
    else:
        raise FunctraceError(
            f"{what} cannot be switched: it was started without FUNCTRACE_SIGNAL;"
            " start it with FUNCTRACE_SIGNAL=USR1"
        )


def _switch_remotely(pid: int, what: str, *, is_on: bool) -> None:
    from functrace.pyimport import remote

    variables = {name: value for name, value in os.environ.items() if name.startswith("FUNCTRACE_")}
    remote.switch(pid, what, variables, is_on=is_on, wait_s=_MAX_WAIT_S)


def _wait(ring: Ring, what: str, *, is_on: bool) -> None:
    until = time.monotonic() + _MAX_WAIT_S
    while _is_on(ring) != is_on:
        if time.monotonic() > until:
            raise FunctraceError(
                f"tracing is not {_state(is_on)} yet in {what} {_MAX_WAIT_S:.0f}s after the signal;"
                " the program may be stopped or in a long call, and will obey when that ends"
            )
        time.sleep(_INTERVAL_S)


def _is_on(ring: Ring) -> bool:
    from functrace.tracefile.header import parse_header

    with ring.path.open("rb") as file:
        return not parse_header(ring.path, memoryview(file.read(4096))).is_stopped


def _send(ring: Ring, number: int, what: str) -> None:
    """Send the signal that stops and resumes tracing, if the program handles it.

    Raises:
        FunctraceError: the program does not, or it cannot be reached.
    """
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
