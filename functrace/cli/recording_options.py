"""Options of the verbs that run a program and record its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_LIMITS = (
    click.option(
        "--max-size", metavar="SIZE", help="Limit the size of each output file: 500M, 2G."
    ),
    click.option(
        "--overwrite", is_flag=True, help="When the trace is full, overwrite the oldest calls."
    ),
    click.option(
        "--min-duration",
        metavar="TIME",
        help="Record only calls that take TIME or longer, such as 5us.",
    ),
    click.option(
        "--depth", type=click.IntRange(min=1), metavar="N", help="Record only N levels of calls."
    ),
)


def limits(command: F) -> F:
    """Add the options that limit what is recorded."""
    for option in reversed(_LIMITS):
        command = option(command)
    return command


def out(help_text: str) -> Callable[[F], F]:
    """Return ``-o``, the path that calls are written to."""
    return click.option("-o", "--out", type=click.Path(), metavar="PATH", help=help_text)
