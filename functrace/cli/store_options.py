"""Options of the verbs that read a store in place of traces."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from functrace.errors import UsageError

if TYPE_CHECKING:
    from functrace.rollup.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])

_argument = click.argument("traces", nargs=-1, type=click.Path(), metavar="TRACE...")
place: Callable[[F], F] = click.option(
    "--store", metavar="STORE", help="Read this store of functrace rollup, not traces."
)
since: Callable[[F], F] = click.option(
    "--since",
    metavar="TIME",
    help="--store: only windows that end after TIME, such as 24h (ago) or 2026-11-27T15:00.",
)
until: Callable[[F], F] = click.option(
    "--until", metavar="TIME", help="--store: only windows that begin before TIME."
)
_SELECTION = (
    place,
    click.option(
        "--service", multiple=True, metavar="GLOB", help="--store: only these services; repeatable."
    ),
    click.option(
        "--release", multiple=True, metavar="GLOB", help="--store: only these releases; repeatable."
    ),
    click.option(
        "--instance",
        multiple=True,
        metavar="GLOB",
        help="--store: only these instances; repeatable.",
    ),
    click.option(
        "--label",
        multiple=True,
        metavar="KEY=GLOB",
        help="--store: only processes with this label, such as host=web*; repeatable.",
    ),
    since,
)
_NAMES = ("service", "release", "instance", "label", "since", "until")


@dataclass(frozen=True)
class ChosenStore:
    """Store to read, and the selection of its rows."""

    place: str
    selection: Selection
    name: str
    """what reports call it"""
    arguments: tuple[str, ...] = ()
    """the store and the options, for commands that are suggested"""


def traces_or_store(function: F) -> F:
    """Add the argument TRACE... and the options of a store."""
    return traces_or_selection(until(function))


def traces_or_selection(function: F) -> F:
    """Add the same without ``--until``, for a verb that has an option of this name."""
    for option in reversed(_SELECTION):
        function = option(function)
    return _argument(function)


def pop_store(
    traces: tuple[str, ...], flags: dict[str, Any], *, has_other: bool = False
) -> ChosenStore | None:
    """Remove the options from `flags`, and return the store; None if traces are read.

    Args:
        traces: the argument TRACE...
        flags: all options of the verb.
        has_other: whether the verb may read something else instead.

    Raises:
        UsageError: both or neither are given, or an option is invalid.
    """
    place = flags.pop("store")
    given = {name: value for name in _NAMES if (value := flags.pop(name))}
    if place is None:
        for name in given:
            raise UsageError(f"--{name} requires --store")
        if not traces and not has_other:
            raise click.UsageError("Missing argument 'TRACE...', or option '--store'.")
        return None
    if traces:
        raise UsageError(f"--store {place} is read in place of traces: leave out {traces[0]}")
    return ChosenStore(place, _selection(**given), place, (place, *_words(given)))


def _words(given: dict[str, Any]) -> Iterator[str]:
    """Yield options as the user gave them."""
    for name, value in given.items():
        for each in (value,) if isinstance(value, str) else value:
            yield from (f"--{name}", each)


def _selection(
    service: tuple[str, ...] = (),
    release: tuple[str, ...] = (),
    instance: tuple[str, ...] = (),
    label: tuple[str, ...] = (),
    since: str | None = None,
    until: str | None = None,
) -> Selection:
    from functrace.rollup.selection import Selection, parse_labels, parse_time

    now_ns = time.time_ns()
    return Selection(
        services=service,
        releases=release,
        instances=instance,
        labels=parse_labels(label),
        since_ns=parse_time(since, now_ns, "--since") if since else None,
        until_ns=parse_time(until, now_ns, "--until") if until else None,
    )
