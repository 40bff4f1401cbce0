"""The verb ``functrace diff``: the differences between two runs."""

from __future__ import annotations

import click

from functrace.cli import trace_arguments
from functrace.cli.render import terminal


@click.command()
@click.argument("before", type=click.Path(), metavar="A")
@click.argument("after", type=click.Path(), metavar="B")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Show the first N entries of each kind.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Show all entries, also those that may be chance."
)
@click.option("--exit-code", is_flag=True, help="Exit with status 1 if something changed.")
@trace_arguments.as_json
@click.pass_context
def diff(
    ctx: click.Context,
    /,
    before: str,
    after: str,
    limit: int,
    everything: bool,
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
    sections = comparison.sections(found, everything=everything)
    if as_json:
        opened = [chains.trace for side in sides for chains in side]
        terminal.print_json(comparison.as_json(sections, opened))
    else:
        for line in comparison.lines(sections, None if everything else limit):
            terminal.echo(line)
    ctx.exit(
        1 if exit_code and any(not e.by_chance for each in sections.values() for e in each) else 0
    )
