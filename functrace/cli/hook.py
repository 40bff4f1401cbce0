"""The verb ``functrace hook``: instrumentation of an environment's Python programs."""

from __future__ import annotations

import os

import click

from functrace.cli import shared_options
from functrace.cli.render import terminal
from functrace.errors import FunctraceError
from functrace.pyimport import interpreter, pth


@click.group(no_args_is_help=False)
def hook() -> None:
    """Enable FUNCTRACE_HOOK=1 for every Python program of an environment."""


@hook.command()
@shared_options.python
def install(python: str | None) -> None:
    """Write functrace-hook.pth to site-packages; it does nothing unless FUNCTRACE_HOOK is set."""
    terminal.echo(f"wrote {pth.install(interpreter.choose(python, os.environ))}", err=True)


@hook.command()
@shared_options.python
def remove(python: str | None) -> None:
    """Remove functrace-hook.pth from site-packages."""
    removed = pth.remove(interpreter.choose(python, os.environ))
    if not removed:
        raise FunctraceError("functrace hook is not installed in this environment")
    terminal.echo(f"removed {removed}", err=True)
