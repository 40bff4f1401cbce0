"""``functrace diff --store``: two selections of a store compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functrace import units
from functrace.cli.render import terminal
from functrace.errors import FunctraceError
from functrace.text import store_note

if TYPE_CHECKING:
    from functrace.rollup.comparison.compare import StoreComparison
    from functrace.rollup.comparison.read import Read
    from functrace.rollup.query import StoreQuery
    from functrace.rollup.store_coverage import StoreCoverage


@dataclass(frozen=True)
class Compared:
    """Two selections with their changes.

    Attributes:
        names: selections as the user wrote them.
        read: figures of both sides.
        found: changes.
        coverage: of each side.
        errors: a line for each file of the store that cannot be read.
    """

    names: tuple[str, str]
    read: Read
    found: StoreComparison
    coverage: tuple[StoreCoverage, StoreCoverage]
    errors: list[str]


def compare_selections(
    store: str, names: tuple[str, str], since: str | None, until: str | None
) -> Compared:
    """Compare two selections of a store.

    Args:
        store: folder or URL.
        names: selections such as ``shop@1.4``.
        since: an age or a time, for selections without one of their own.
        until: the same.

    Raises:
        FunctraceError: nothing is selected, or the store cannot be read.
    """
    from functrace.cli.compared_selections import parse_compared
    from functrace.rollup.query import StoreQuery

    now_ns = time.time_ns()
    queries = [StoreQuery(store, parse_compared(name, now_ns, since, until)) for name in names]
    try:
        return _compare(store, names, (queries[0], queries[1]))
    finally:
        for query in queries:
            query.close()


def _compare(
    store: str, names: tuple[str, str], queries: tuple[StoreQuery, StoreQuery]
) -> Compared:
    from functrace.rollup.comparison.compare import compare
    from functrace.rollup.comparison.read import read_sides

    before, after = queries
    read, coverage = before.consistently(
        lambda: after.consistently(
            lambda: (read_sides(before, after), (before.coverage(), after.coverage()))
        )
    )
    errors = list(dict.fromkeys(error for query in queries for error in query.errors))
    for name, count in zip(names, read.instances, strict=True):
        if not count:
            raise FunctraceError(*errors, f"{store}: no instance matches {name}")
    found = compare(read.tree, read.before, read.after, is_enough=read.is_enough)
    return Compared(names, read, found, coverage, errors)


def heading(compared: Compared) -> Iterator[str]:
    """Yield what is compared, and whether it is enough."""
    from functrace.rollup.comparison.difference import MIN_UNITS

    first, second = compared.read.instances
    before, after = compared.names
    counts = f"{units.count(first)} → {units.several(second, 'instance')}"
    unit = ", compared by window" if compared.read.unit == "window" else ""
    yield f"{before} → {after}: {counts}{unit}"
    if not compared.read.is_enough:
        yield (
            f"too little to tell changes from noise: each side needs {MIN_UNITS} instances, or"
            f" both the same instances in {MIN_UNITS} windows"
        )


def slowdown(compared: Compared) -> Iterator[str]:
    """Yield a line if all functions together became slower or faster."""
    found = compared.found
    if not found.slowdown_by_chance:
        yield f"all functions take {found.slowdown:.2f} times as long; others relative to that:"


def coverage_lines(compared: Compared) -> Iterator[str]:
    """Yield how much of the instances of each side is compared, and what they lack."""
    for name, coverage in zip(compared.names, compared.coverage, strict=True):
        first, *others = store_note.sentences(coverage)
        yield f"{name}: {first}"
        for sentence in others:
            yield f"  {sentence}"


def as_json(compared: Compared) -> dict[str, Any]:
    """Return what is compared as JSON values."""
    return {
        "unit": compared.read.unit,
        "is_enough": compared.read.is_enough,
        "slowdown": compared.found.slowdown,
        "slowdown_by_chance": compared.found.slowdown_by_chance,
        "coverage": {
            side: store_note.as_json(each)["coverage"]
            for side, each in zip(("before", "after"), compared.coverage, strict=True)
        },
    }


def print_errors(compared: Compared) -> None:
    """Print a line for each file that cannot be read."""
    for error in compared.errors:
        terminal.echo(f"functrace: {error}", err=True, fg="red")
