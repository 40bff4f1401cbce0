"""The verb ``functrace diff``: the differences between two runs, or two selections of a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from functrace.cli import (
    reading_options,
    renamed,
    shared_options,
    store_diff,
    store_options,
    trace_arguments,
)
from functrace.cli.render import budget_note, terminal
from functrace.errors import UsageError

_DEFAULT_LIMIT = 10


@click.command()
@click.argument("before", type=click.Path(), metavar="A")
@click.argument("after", type=click.Path(), metavar="B")
@reading_options.limit(f"{_DEFAULT_LIMIT} of each kind; all with --json")
@store_options.place
@store_options.since
@store_options.until
@click.option("--with-chance", is_flag=True, help="Also show differences that may be chance.")
@click.option("--exit-code", is_flag=True, help="Exit with status 1 if something changed.")
@shared_options.as_json
@shared_options.color
@renamed.refuse_options("diff")
@click.pass_context
def diff(ctx: click.Context, /, before: str, after: str, **options: Any) -> None:
    """Show what changed from A to B.

    A and B are traces, or folders with the traces of several processes or runs. The result
    lists functions and chains that appeared, vanished, became slower or faster, or fail more
    or less often. Differences that may be chance are left out; docs/commands.md has the rules.

    With --store, A and B are selections SERVICE@RELEASE of a store of functrace rollup, such as
    shop@1.4 or 'shop@1.5[instance=canary-*]'. Their instances are compared; docs/releases.md has
    the rules.
    """
    shown = _Options(
        limit=_limit(options["limit"], as_json=options["as_json"]),
        with_chance=options["with_chance"],
        as_json=options["as_json"],
    )
    if options["store"] is None:
        if options["since"] or options["until"]:
            raise UsageError("--since and --until require --store")
        failed, changed = False, _diff_traces(before, after, shown)
    else:
        compared = store_diff.compare_selections(
            options["store"], (before, after), options["since"], options["until"]
        )
        failed, changed = bool(compared.errors), _show_selections(compared, shown)
    ctx.exit(1 if failed or (options["exit_code"] and changed) else 0)


@dataclass(frozen=True)
class _Options:
    limit: int
    with_chance: bool
    as_json: bool


def _limit(limit: int | None, *, as_json: bool) -> int:
    return limit if limit is not None else 0 if as_json else _DEFAULT_LIMIT


def _diff_traces(before: str, after: str, options: _Options) -> bool:
    """Print the differences of traces, and return whether something changed."""
    from functrace.analysis import fold
    from functrace.analysis.compare import compare
    from functrace.cli.render import comparison

    both = map(trace_arguments.open_all, ([before], [after]))
    sides = [[fold(trace) for trace in side] for side in both]
    sections = comparison.sections(compare(*sides), with_chance=options.with_chance)
    opened = [chains.trace for side in sides for chains in side]
    if options.as_json:
        terminal.print_json(comparison.as_json(sections, options.limit, opened))
    else:
        for line in comparison.lines(sections, options.limit):
            terminal.echo(line)
        budget_note.show(opened)
    return comparison.has_change(sections)


def _show_selections(compared: store_diff.Compared, options: _Options) -> bool:
    """Print the differences of selections, and return whether something may have changed."""
    from functrace.cli.render import comparison

    is_enough = compared.read.is_enough
    with_chance = options.with_chance or not is_enough
    sections = comparison.store_sections(compared.found, with_chance=with_chance)
    store_diff.print_errors(compared)
    if options.as_json:
        found = comparison.kinds_as_json(sections, options.limit)
        terminal.print_json({**found, **store_diff.as_json(compared)})
    else:
        for line in store_diff.heading(compared):
            terminal.echo(line)
        for line in store_diff.slowdown(compared):
            terminal.echo(line, bold=True)
        for line in comparison.lines(sections, options.limit):
            terminal.echo(line)
        for line in store_diff.coverage_lines(compared):
            terminal.echo(line, dim=True)
    return (
        comparison.has_change(sections)
        or not compared.found.slowdown_by_chance
        or (not is_enough and any(sections.values()))
    )
