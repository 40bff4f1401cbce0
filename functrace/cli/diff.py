"""The verb ``functrace diff``: the differences between two runs."""

from __future__ import annotations

import click

from functrace.cli import reading_options, renamed, shared_options, trace_arguments
from functrace.cli.render import budget_note, terminal

_DEFAULT_LIMIT = 10


@click.command()
@click.argument("before", type=click.Path(), metavar="A")
@click.argument("after", type=click.Path(), metavar="B")
@reading_options.limit(f"{_DEFAULT_LIMIT} of each kind; all with --json")
@click.option("--with-chance", is_flag=True, help="Also show differences that may be chance.")
@click.option("--exit-code", is_flag=True, help="Exit with status 1 if something changed.")
@shared_options.as_json
@shared_options.color
@renamed.refuse_options("diff")
@click.pass_context
def diff(
    ctx: click.Context,
    /,
    before: str,
    after: str,
    limit: int | None,
    with_chance: bool,
    exit_code: bool,
    as_json: bool,
) -> None:
    """Show what changed from A to B.

    A and B are traces, or folders with the traces of several processes or runs. The result
    lists functions and chains that appeared, vanished, became slower or faster, or fail more
    or less often. Differences that may be chance are left out; docs/commands.md has the rules.
    """
    from functrace.analysis import fold
    from functrace.analysis.compare import compare
    from functrace.cli.render import comparison

    both = map(trace_arguments.open_all, ([before], [after]))
    sides = [[fold(trace) for trace in side] for side in both]
    found = compare(*sides)
    sections = comparison.sections(found, with_chance=with_chance)
    count = limit if limit is not None else 0 if as_json else _DEFAULT_LIMIT
    opened = [chains.trace for side in sides for chains in side]
    if as_json:
        terminal.print_json(comparison.as_json(sections, count, opened))
    else:
        for line in comparison.lines(sections, count):
            terminal.echo(line)
        budget_note.show(opened)
    ctx.exit(
        1 if exit_code and any(not e.by_chance for each in sections.values() for e in each) else 0
    )
