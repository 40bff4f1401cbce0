"""The graph of services as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from functrace import units
from functrace.cli.render import terminal
from functrace.runtime.escaping import escape
from functrace.text import chain_text, layout

if TYPE_CHECKING:
    from functrace.analysis.requests.services import EdgeChain, Service, ServiceEdge, ServiceGraph

_MAX_CHAINS = 3
_INDENT = "    "
_SERVICE_TITLES = ("processes", "in", "failed", "out", "failed")
_EDGE_TITLES = ("calls", "failed", "p50", "p99")


def show(found: ServiceGraph) -> None:
    """Print the services, the calls between them with their chains, and what is missing."""
    _print_table(
        _SERVICE_TITLES,
        "service",
        [(_service(each), _description(each)) for each in found.services],
    )
    terminal.echo()
    _print_edges(found)
    terminal.echo()
    for sentence in _summary(found):
        for line in textwrap.wrap(sentence, terminal.width(), subsequent_indent=_INDENT):
            terminal.echo(line)
    for note in found.notes:
        for line in textwrap.wrap(note, terminal.width(), subsequent_indent=_INDENT):
            terminal.echo(line, fg="yellow")


def _print_table(
    titles: tuple[str, ...], last: str, rows: list[tuple[tuple[str, ...], str]]
) -> None:
    shown = [titles[i] if any(row[i] for row, _ in rows) else "" for i in range(len(titles))]
    cells = layout.align([shown, *(row for row, _ in rows)])
    names = [last, *(name for _, name in rows)]
    for number, (row, name) in enumerate(zip(cells, names, strict=True)):
        terminal.echo("  ".join([*row, name]), bold=not number)


def _service(each: Service) -> tuple[str, ...]:
    numbers = (each.processes, each.inbound, each.inbound_failed, each.outbound)
    return tuple(units.count(n) if n else "" for n in (*numbers, each.outbound_failed))


def _description(each: Service) -> str:
    marks = ["external"] if each.is_external else []
    marks += ["gateway"] if each.is_gateway else []
    return escape(each.name) + (f" ({', '.join(marks)})" if marks else "")


def _print_edges(found: ServiceGraph) -> None:
    if not found.edges:
        terminal.echo("no outbound call was recorded")
        return
    titles = ["", *_EDGE_TITLES]
    cells = layout.align([titles[1:], *map(_figures, found.edges)])
    terminal.echo("  ".join([*cells[0], "from → to, route"]), bold=True)
    names = layout.Names(found.forest.functions, found.forest.services)
    for row, edge in zip(cells[1:], found.edges, strict=True):
        missing = f" ({units.count(edge.not_received)} not received)" if edge.not_received else ""
        where = f"{escape(edge.caller)} → {escape(edge.callee)}, {escape(edge.route)}{missing}"
        terminal.echo("  ".join([*row, where]))
        for line in _chains(found, names, edge):
            terminal.echo(line)


def _figures(edge: ServiceEdge) -> list[str]:
    return [
        units.count(edge.calls),
        units.count(edge.failed) if edge.failed else "",
        "" if edge.p50 is None else units.duration(edge.p50),
        "" if edge.p99 is None else units.duration(edge.p99),
    ]


def _chains(found: ServiceGraph, names: layout.Names, edge: ServiceEdge) -> Iterator[str]:
    for chain in edge.chains[:_MAX_CHAINS]:
        failed = f", {units.count(chain.failed)} failed" if chain.failed else ""
        count = f"{units.count(chain.calls)}x{failed}: "
        words = chain_words(found, names, chain)
        words[0] = count + words[0]
        for line in chain_text.lines(chain_text.shorten(words), terminal.width() - len(_INDENT)):
            yield _INDENT + line
    more = len(edge.chains) - _MAX_CHAINS
    if more > 0:
        yield f"{_INDENT}… {units.several(more, 'more chain')}; --json shows all"


def chain_words(found: ServiceGraph, names: layout.Names, chain: EdgeChain) -> list[str]:
    """Return the words of a chain, from the service that received the request first."""
    return chain_text.words(found.forest, names, chain.chain, None)


def _summary(found: ServiceGraph) -> Iterator[str]:
    joins = found.joined.methods()
    received = sum(joins.values())
    inbound = int(found.joined.rows.inbound.sum())
    by = ", ".join(f"{units.count(number)} by {name}" for name, number in joins.items())
    if inbound:
        yield (
            f"{units.count(received)} of {units.several(inbound, 'inbound call')} joined to their"
            f" callers{f': {by}' if by else ''}; {units.count(inbound - received)} unknown"
        )
    outbound = sum(found.belongings.values())
    of = ", ".join(
        f"{units.count(number)} {'to none' if name == 'unknown' else f'by {name}'}"
        for name, number in found.belongings.items()
        if number
    )
    if outbound:
        yield f"{units.several(outbound, 'outbound call')} attributed to inbound calls: {of}"
    yield from clock_sentences(found)


def clock_sentences(found: ServiceGraph) -> Iterator[str]:
    """Yield a sentence about each clock that differs from that of the first trace."""
    for index, bounds in found.joined.offsets.items():
        if bounds.value:
            ahead = "behind" if bounds.value > 0 else "ahead of"
            error = "" if bounds.error is None else f" ± {units.duration(bounds.error)}"
            trace = found.joined.traces[index]
            yield (
                f"the clock of {escape(str(trace.path))} is {units.duration(abs(bounds.value))}"
                f"{error} {ahead} that of {escape(str(found.joined.traces[0].path))}"
            )
