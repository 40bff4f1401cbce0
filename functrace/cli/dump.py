"""The verb ``functrace dump``: a copy of the ring of a running process, or a bundle of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from functrace import units
from functrace.cli.render import terminal
from functrace.errors import FunctraceError, UsageError

_MAX_WAIT_S = 120.0
_INTERVAL_S = 0.2


@click.command()
@click.argument("process", type=click.Path(), metavar="PROCESS")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write to this file.  [default: a bundle of the running functrace watch]",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="State folder of the watcher, for what is not saved yet.  [default: one in the folder of"
    " rings]",
)
def dump(process: str, out: Path | None, state: Path | None) -> None:
    """Copy the latest calls of a program that runs with FUNCTRACE=ring.

    PROCESS is a process id or a program name. The program is not stopped. The copy is a trace of
    one instant, which all verbs read.

    Without -o, the running functrace watch saves a bundle of each process that PROCESS names: a
    process id, a program name or a group of its configuration.
    """
    if out is None:
        _ask_watcher(process, state)
    elif state is not None:
        raise UsageError("--state has no effect with -o")
    else:
        _copy(process, out)


def _copy(process: str, out: Path) -> None:
    from functrace.tracefile import copy_ring, find_trace_files  # late: it loads numpy

    files = find_trace_files(process)
    if len(files) > 1:
        raise FunctraceError(f"{process}: {len(files)} traces; name one")
    if out.exists() and out.samefile(files[0]):
        raise FunctraceError(f"output file {out} is the ring; choose another with -o")
    began = time.monotonic_ns()
    data = copy_ring(files[0])
    took = time.monotonic_ns() - began
    try:
        with open(out, "wb", opener=_open_private) as file:
            file.write(data)
    except OSError as error:
        raise FunctraceError(f"{out}: {error.strerror}") from None
    summary = f"{out}: {units.size(len(data))} of {files[0].name}, copied in {units.duration(took)}"
    terminal.echo(f"functrace dump: {summary}", err=True)


def _ask_watcher(target: str, state: Path | None) -> None:
    from functrace.watch.control_client import find_watchers, request  # late: it loads numpy

    watchers = find_watchers(state, None)
    if not watchers:
        raise FunctraceError("no watcher is running; name a file with -o PATH")
    if len(watchers) > 1:
        names = (f"  {each}" for each in watchers)
        raise FunctraceError("several watchers run; name the state folder with --state:", *names)
    waiting = set(request(watchers[0], "/v1/dump", {"target": target})["bundles"])
    until = time.monotonic() + _MAX_WAIT_S
    while waiting and time.monotonic() < until:
        for bundle in request(watchers[0], "/v1/bundles"):
            if bundle["id"] in waiting and bundle["state"] != "pending":
                waiting.remove(bundle["id"])
                if bundle["state"] == "failed":
                    raise FunctraceError(f"cannot save a bundle: {bundle['place']}")
                terminal.echo(bundle["place"])
        time.sleep(_INTERVAL_S)
    if waiting:
        what = units.several(len(waiting), "bundle")
        raise FunctraceError(f"{what} not saved after {_MAX_WAIT_S:.0f}s; the watcher goes on")


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
