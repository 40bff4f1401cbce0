"""Options of the verbs that read traces; each verb that has one of them has the same one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

include: Callable[[F], F] = click.option(
    "--include", multiple=True, metavar="GLOB", help="Show only functions that match; repeatable."
)

exclude: Callable[[F], F] = click.option(
    "--exclude", multiple=True, metavar="GLOB", help="Hide functions that match; repeatable."
)


def errors(help_text: str) -> Callable[[F], F]:
    """Return ``--errors``, which selects failed calls."""
    return click.option("--errors", is_flag=True, help=help_text)


def min_duration(help_text: str) -> Callable[[F], F]:
    """Return ``--min-duration``, which selects calls that took long."""
    return click.option("--min-duration", metavar="TIME", help=help_text)


def depth(help_text: str) -> Callable[[F], F]:
    """Return ``--depth``, which limits the levels of calls."""
    return click.option("--depth", type=click.IntRange(min=1), metavar="N", help=help_text)


def limit(default: str, applies_to: str = "") -> Callable[[F], F]:
    """Return ``--limit``, which is None if not given, and 0 for no limit.

    Args:
        default: the number shown if the option is not given, for the help.
        applies_to: the formats that the option is for, followed by a colon and a space.
    """
    return click.option(
        "--limit",
        type=click.IntRange(min=0),
        metavar="N",
        help=f"{applies_to}Show at most N entries; 0 shows all.  [default: {default}]",
    )
