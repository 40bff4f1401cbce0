"""The verb ``functrace view``: traces in the browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functrace import units
from functrace.cli import shared_options, store_options, trace_arguments
from functrace.cli.render import terminal
from functrace.errors import FunctraceError, UsageError

if TYPE_CHECKING:
    from functrace.cli.store_options import ChosenStore
    from functrace.view.served import Served
    from functrace.view.session import Session
    from functrace.view.sessions import Sessions

_MAX_PORT = 65_535
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


@click.command()
@store_options.traces_or_selection
@click.option("--live", metavar="NAME|PID", help="Follow the ring of a running program instead.")
@click.option("--save", metavar="FILE", help="Write the page into one file instead of serving it.")
@click.option(
    "--from", "from_", metavar="TIME", help="--save: only calls that run at or after this time."
)
@click.option(
    "--until",
    metavar="TIME",
    help="--save: only calls that begin before TIME. --store: only such windows.",
)
@click.option(
    "--port",
    type=click.IntRange(0, _MAX_PORT),
    default=0,
    metavar="N",
    help="Listen on this port.  [default: a free one]",
)
@click.option("--no-open", is_flag=True, help="Do not open the page in a browser.")
@shared_options.color
def view(
    traces: tuple[str, ...],
    live: str | None,
    save: str | None,
    from_: str | None,
    port: int,
    no_open: bool,
    **flags: Any,
) -> None:
    """Show traces in the browser: what is wrong, timeline, flame graph, chains, calls and sources.

    The address, which is valid until Ctrl-C, is the first line of the output. Only this machine
    can reach it. TRACE is a trace file, the folder or zip file of a bundle, or a folder of traces;
    several traces are shown together. A store has no single calls: with --store, triage, flame
    graph, chains and services are shown.
    --save writes a page that needs no server, to send to others; --from and --until choose its part
    of the time. TIME is 5us, 2ms or 1.5s, from the start of the first trace on.
    """
    if list(map(bool, (traces, live, flags["store"]))).count(True) != 1:
        raise UsageError(
            "name one or several traces, --store and a store, or --live and a running program"
        )
    until = None if flags["store"] else flags.pop("until")
    store = store_options.pop_store(traces, {"until": None, **flags}, has_other=live is not None)
    if save is None and (from_ or until):
        raise UsageError("--from and --until require --save; the page has a selection of its own")
    if store:
        if save is not None:
            raise UsageError("--save requires traces; functrace export --store writes files")
        _serve(_open_store(store), port, should_open=not no_open)
        return
    sessions = _follow(live) if live else _open(traces)
    if save is None:
        _serve(_served(sessions), port, should_open=not no_open)
    else:
        _save(sessions.current, Path(save), from_, until)


def _open_store(store: ChosenStore) -> Served:
    from functrace.view.served import ServedStore
    from functrace.view.stored_session import StoredSession

    return ServedStore(StoredSession(store.place, store.selection, store.arguments))


def _served(sessions: Sessions) -> Served:
    from functrace.view.served import ServedTraces

    return ServedTraces(sessions)


def _open(traces: tuple[str, ...]) -> Sessions:
    from functrace.view.sessions import Sessions

    return Sessions(lambda: trace_arguments.open_all(traces), traces)


def _follow(process: str) -> Sessions:
    """Return sessions that follow the ring of a process: that of another one is not taken later."""
    from functrace.tracefile import find_ring, open_trace_file
    from functrace.view.sessions import Sessions

    path = find_ring(process).path
    return Sessions(lambda: [open_trace_file(path)], (process,), is_live=True)


def _save(session: Session, path: Path, since: str | None, until: str | None) -> None:
    from functrace.view import saved_page
    from functrace.view.saved_answers import SavedAnswers

    if path.exists() and any(path.samefile(trace.path) for trace in session.traces):
        raise FunctraceError(f"output file {path} is one of the traces; choose another")
    from_ns = units.parse_duration(since) if since else 0
    to_ns = units.parse_duration(until) if until else session.duration_ns
    if from_ns >= to_ns:
        raise UsageError("--from must be before --until and before the end of the traces")
    path.write_bytes(saved_page.page(SavedAnswers(session, from_ns, to_ns).saved()))
    terminal.echo(f"functrace view: {path} written", err=True)


def _serve(served: Served, port: int, *, should_open: bool) -> None:
    from functrace.view.server import Server

    try:
        server = Server(served, port)
    except OSError as error:
        raise FunctraceError(f"--port {port}: {error.strerror}") from None
    try:
        terminal.echo(server.access.url)
        sys.stdout.flush()
        if should_open and _has_display():
            webbrowser.open(server.access.url)
        server.run()
    except KeyboardInterrupt:
        terminal.echo()


def _has_display() -> bool:
    """Return whether a browser can open a window, rather than take over the terminal."""
    return sys.platform == "darwin" or any(map(os.environ.get, _DISPLAYS))
