"""The verb ``functrace view``: traces in the browser."""

from __future__ import annotations

import os
import sys
import webbrowser

import click

from functrace.cli import shared_options, trace_arguments
from functrace.cli.render import terminal
from functrace.errors import FunctraceError

_MAX_PORT = 65_535
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


@click.command()
@trace_arguments.argument
@click.option(
    "--port",
    type=click.IntRange(0, _MAX_PORT),
    default=0,
    metavar="N",
    help="Listen on this port.  [default: a free one]",
)
@click.option("--no-open", is_flag=True, help="Do not open the page in a browser.")
@shared_options.color
def view(traces: tuple[str, ...], port: int, no_open: bool) -> None:
    """Show traces in the browser: what is wrong, timeline, flame graph, chains, calls and sources.

    The address, which is valid until Ctrl-C, is the first line of the output. Only this machine
    can reach it. TRACE is a trace file or a folder of traces; several traces are shown together.
    """
    from functrace.view.server import Server
    from functrace.view.sessions import Sessions

    sessions = Sessions(lambda: trace_arguments.open_all(traces), traces)
    try:
        server = Server(sessions, port)
    except OSError as error:
        raise FunctraceError(f"--port {port}: {error.strerror}") from None
    try:
        terminal.echo(server.access.url)
        sys.stdout.flush()
        if not no_open and _has_display():
            webbrowser.open(server.access.url)
        server.run()
    except KeyboardInterrupt:
        terminal.echo()


def _has_display() -> bool:
    """Return whether a browser can open a window, rather than take over the terminal."""
    return sys.platform == "darwin" or any(map(os.environ.get, _DISPLAYS))
