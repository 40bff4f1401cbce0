"""functrace hook: what lets a variable trace any Python program of an environment."""

from __future__ import annotations

import os

import click

from functrace.cli.render import terminal
from functrace.pyimport import interpreter, pth


@click.group()
def hook() -> None:
    """Let FUNCTRACE_HOOK=1 instrument every Python program of an environment."""


_python = click.option(
    "--python", metavar="PATH", help="The environment's interpreter; by default yours."
)


@hook.command()
@_python
def install(python: str | None) -> None:
    """Write one file into the environment's site-packages: without the variable it does nothing."""
    terminal.echo(f"wrote {pth.install(interpreter.choose(python, os.environ))}", err=True)


@hook.command()
@_python
def remove(python: str | None) -> None:
    """Take that file away again."""
    removed = pth.remove(interpreter.choose(python, os.environ))
    terminal.echo(f"removed {removed}" if removed else "there is none", err=True)
