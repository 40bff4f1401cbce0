"""The call chains that lead to a function as plain text."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from functrace import units
from functrace.cli.render import terminal
from functrace.runtime.escaping import escape
from functrace.text import chain_text, layout
from functrace.text.safe_text import style

if TYPE_CHECKING:
    from functrace.analysis.call_chains import CallChain
    from functrace.analysis.caller_chains import CallerChains
    from functrace.analysis.examples import Example

_MAX_TEXTS = 3
_INDENT = "    "


def show(
    found: CallerChains,
    function: str,
    min_duration: str | None,
    chains: Sequence[CallChain],
    count: int,
) -> None:
    """Print a summary of all calls, then a block for each of ``chains``; there are ``count``."""
    names = layout.Names(found.forest.functions, found.forest.services)
    _print_summary(_summary(found, function, names, count))
    examples = found.examples(chains)
    texts = [
        chain_text.words(found.forest, names, chain, example)
        for chain, example in zip(chains, examples, strict=True)
    ]
    prefix = _common_prefix(texts)
    if prefix:
        terminal.echo()
        terminal.echo("Every chain begins with:")
        _print_chain(texts[0][:prefix], found.filter.unfold_recursion)
    rows = layout.align(
        [_figures(found, min_duration, i, chain) for i, chain in enumerate(chains, 1)]
    )
    for row, words, chain, example in zip(rows, texts, chains, examples, strict=True):
        terminal.echo()
        _print_figures("  ".join(row), _failures(found, chain))
        _print_chain(["…", *words[prefix:]] if prefix else words, found.filter.unfold_recursion)
        for line in _texts(found, chain):
            terminal.echo(_INDENT + line, fg="red")
        if example:
            terminal.echo(_INDENT + _replay_command(found, example), dim=True)
    if len(chains) < count:
        terminal.echo()
        terminal.echo(f"… {units.several(count - len(chains), 'more chain')}; --limit 0 shows all")


def _summary(found: CallerChains, function: str, names: layout.Names, count: int) -> list[str]:
    all_calls = found.overall()
    functions = sorted({int(found.forest.function[node]) for node in found.nodes})
    name = (
        names[functions[0]] if len(functions) == 1 else f"{function} ({len(functions)} functions)"
    )
    parts = [f"{name}: {units.several(all_calls.calls, 'call')}"]
    if all_calls.failed:
        part = units.share(all_calls.failed, all_calls.calls)
        parts.append(f"{units.count(all_calls.failed)} failed ({part})")
    if all_calls.unfinished:
        parts.append(f"{units.count(all_calls.unfinished)} unfinished")
    if all_calls.partial:
        parts.append(f"{units.count(all_calls.partial)} with missing callers")
    parts.append(f"total {units.duration(all_calls.total)}")
    if all_calls.suspended:
        parts.append(f"suspended {units.duration(all_calls.suspended)}")
    if all_calls.calls > all_calls.unfinished:
        parts.append(f"p50 {units.duration(found.overall_percentile(50))}")
        parts.append(f"p99 {units.duration(found.overall_percentile(99))}")
    parts.append(f"{units.several(count, 'chain')}")
    traces = len(found.forest.chains)
    if traces > 1:
        parts[-1] += f" in {traces} traces"
    return parts


def _print_summary(parts: list[str]) -> None:
    lines = textwrap.wrap(", ".join(parts), terminal.width(), subsequent_indent=_INDENT)
    for number, line in enumerate(lines):
        terminal.echo(line, bold=not number)


def _print_figures(figures: str, failures: str) -> None:
    if failures:
        terminal.echo(figures, "  ", style(failures, fg="red"))
    else:
        terminal.echo(figures.rstrip())


def _common_prefix(texts: list[list[str]]) -> int:
    """Return how many words to print once for all chains; 0 if each chain fits on a line."""
    width = terminal.width() - len(_INDENT)
    one_line = all(len(chain_text.lines(words, width)) == 1 for words in texts)
    return 0 if one_line else chain_text.common_prefix(texts)


def _print_chain(words: list[str], complete: bool) -> None:
    shown = words if complete else chain_text.shorten(words)
    for line in chain_text.lines(shown, terminal.width() - len(_INDENT)):
        terminal.echo(_INDENT + line)


def _figures(
    found: CallerChains, min_duration: str | None, number: int, chain: CallChain
) -> list[str]:
    """Return the cells of a chain that are aligned over all chains."""
    ended = chain.calls > chain.unfinished
    return [
        f"#{number}",
        *_counts(found, min_duration, chain),
        f"p50 {units.duration(found.percentile(chain, 50))}" if ended else "",
        f"p99 {units.duration(found.percentile(chain, 99))}" if ended else "",
        f"total {units.duration(chain.total)}",
        f"suspended {units.duration(chain.suspended)}" if chain.suspended else "",
        f"self {units.duration(chain.self)}",
    ]


def _failures(found: CallerChains, chain: CallChain) -> str:
    """Return failed, panicked, unfinished and partial calls, for the end of the line."""
    parts = []
    if chain.failed and not found.filter.failed:
        parts.append(f"{units.count(chain.failed)} failed")
    if chain.panics and layout.panic_noun(found.forest.traces) == "panic":
        parts.append(f"{units.count(chain.panics)} panicked")
    if chain.unfinished:
        parts.append(f"{units.count(chain.unfinished)} unfinished")
    if chain.partial:
        parts.append(f"{units.count(chain.partial)} with missing callers")
    return ", ".join(parts)


def _counts(found: CallerChains, min_duration: str | None, chain: CallChain) -> Iterator[str]:
    matching, calls = found.count(chain), units.count(chain.calls)
    if min_duration or found.filter.failed:
        what = " and ".join(
            [
                *(["failed"] if found.filter.failed else []),
                *([f"took ≥ {min_duration}"] if min_duration else []),
            ]
        )
        yield f"{units.count(matching)} of {calls} {what} ({units.share(matching, chain.calls)})"
        return
    all_calls = sum(int(found.forest.calls[node]) for node in found.nodes)
    yield units.several(chain.calls, "call")
    yield units.share(chain.calls, all_calls)


def _texts(found: CallerChains, chain: CallChain) -> Iterator[str]:
    is_exception = layout.panic_noun(found.forest.traces) == "exception"  # its text has its type
    texts = found.failure_texts(chain)
    for each in texts[:_MAX_TEXTS]:
        text = escape(each.pattern) or "no text"
        panic = "panic: " if each.panic and not is_exception else ""
        line = f"{units.count(each.count)}x {panic}{text}"
        width = terminal.width() - len(_INDENT)
        yield line if len(line) <= width else line[: width - 1] + "…"
    if len(texts) > _MAX_TEXTS:
        rest = sum(each.count for each in texts[_MAX_TEXTS:])
        yield f"{units.count(rest)}x {units.several(len(texts) - _MAX_TEXTS, 'other text')}"


def _replay_command(found: CallerChains, example: Example) -> str:
    from functrace.analysis.examples import place_of

    place = place_of(found.forest, example)
    took = "" if example.duration is None else f", {units.duration(example.duration)}"
    command = f"functrace replay {shlex.quote(place.trace)} --track {place.track}"
    if place.start_ns is not None:
        return f"{example.reason}{took}: {command} --from {units.moment(place.start_ns)}"
    return f"{example.reason}{took}, at {units.utc(place.time_ns or 0)}: {command}"
