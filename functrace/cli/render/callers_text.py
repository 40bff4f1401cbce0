"""The call chains to a function as text that can be pasted anywhere."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from functrace import units
from functrace.cli.render import chain_text, columns, terminal
from functrace.cli.render.terminal import style
from functrace.escaping import escape

if TYPE_CHECKING:
    from functrace.analysis.call_chains import CallChain
    from functrace.analysis.callers import Callers
    from functrace.analysis.examples import Example

_TEXTS = 3
_INDENT = "    "


def show(
    found: Callers, asked: str, slow: str | None, chains: Sequence[CallChain], count: int
) -> None:
    """Print a line about all calls, then a block for each chain; there are ``count`` chains."""
    names = columns.Names(found.forest.functions)
    _print_head(_head(found, asked, names, count))
    examples = found.examples(chains)
    told = [
        chain_text.words(found.forest, names, chain, example)
        for chain, example in zip(chains, examples, strict=True)
    ]
    same = _common(told)
    if same:
        terminal.echo()
        terminal.echo("Every chain below begins:")
        _print_chain(told[0][:same], found.wanted.whole)
    rows = columns.aligned([_figures(found, slow, i, chain) for i, chain in enumerate(chains, 1)])
    for row, words, chain, example in zip(rows, told, chains, examples, strict=True):
        terminal.echo()
        _print_figures("  ".join(row), _trouble(found, chain))
        _print_chain(["…", *words[same:]] if same else words, found.wanted.whole)
        for line in _texts(found, chain):
            terminal.echo(_INDENT + line, fg="red")
        if example:
            terminal.echo(_INDENT + _jump(found, example), dim=True)
    if len(chains) < count:
        terminal.echo()
        terminal.echo(f"… {units.several(count - len(chains), 'more chain')}; --limit 0 shows all")


def _head(found: Callers, asked: str, names: columns.Names, count: int) -> list[str]:
    all_calls = found.overall()
    functions = sorted({int(found.forest.function[node]) for node in found.nodes})
    name = names[functions[0]] if len(functions) == 1 else f"{asked} ({len(functions)} functions)"
    parts = [f"{name}: {units.several(all_calls.calls, 'call')}"]
    if all_calls.failed:
        part = units.share(all_calls.failed, all_calls.calls)
        parts.append(f"{units.count(all_calls.failed)} failed ({part})")
    if all_calls.unfinished:
        parts.append(f"{units.count(all_calls.unfinished)} unfinished")
    parts.append(f"total {units.duration(all_calls.total)}")
    if all_calls.suspended:
        parts.append(f"waiting {units.duration(all_calls.suspended)}")
    if all_calls.calls > all_calls.unfinished:
        parts.append(f"p50 {units.duration(found.overall_percentile(50))}")
        parts.append(f"p99 {units.duration(found.overall_percentile(99))}")
    parts.append(f"{units.several(count, 'chain')}")
    traces = len(found.forest.chains)
    if traces > 1:
        parts[-1] += f" in {traces} traces"
    return parts


def _print_head(parts: list[str]) -> None:
    lines = textwrap.wrap(", ".join(parts), columns.width(), subsequent_indent=_INDENT)
    for number, line in enumerate(lines):
        terminal.echo(line, bold=not number)


def _print_figures(figures: str, trouble: str) -> None:
    if trouble:
        terminal.echo(figures, "  ", style(trouble, fg="red"))
    else:
        terminal.echo(figures.rstrip())


def _common(told: list[list[str]]) -> int:
    """Beginnings are told once where chains are too long for a line."""
    width = columns.width() - len(_INDENT)
    one_line = all(len(chain_text.lines(words, width)) == 1 for words in told)
    return 0 if one_line else chain_text.common(told)


def _print_chain(words: list[str], whole: bool) -> None:
    shown = words if whole else chain_text.shortened(words)
    for line in chain_text.lines(shown, columns.width() - len(_INDENT)):
        terminal.echo(_INDENT + line)


def _figures(found: Callers, slow: str | None, number: int, chain: CallChain) -> list[str]:
    """Cells that are aligned over all chains."""
    ended = chain.calls > chain.unfinished
    return [
        f"#{number}",
        *_counts(found, slow, chain),
        f"p50 {units.duration(found.percentile(chain, 50))}" if ended else "",
        f"p99 {units.duration(found.percentile(chain, 99))}" if ended else "",
        f"total {units.duration(chain.total)}",
        f"waiting {units.duration(chain.suspended)}" if chain.suspended else "",
        f"self {units.duration(chain.self)}",
    ]


def _trouble(found: Callers, chain: CallChain) -> str:
    """What is behind the cells, where there is anything."""
    parts = []
    if chain.failed and not found.wanted.failed:
        parts.append(f"{units.count(chain.failed)} failed")
    if chain.panics and columns.panic(found.forest.traces) == "panic":
        parts.append(f"{units.count(chain.panics)} panicked")
    if chain.unfinished:
        parts.append(f"{units.count(chain.unfinished)} unfinished")
    return ", ".join(parts)


def _counts(found: Callers, slow: str | None, chain: CallChain) -> Iterator[str]:
    asked, calls = found.count(chain), units.count(chain.calls)
    if slow or found.wanted.failed:
        what = " and ".join(
            [*(["failed"] if found.wanted.failed else []), *([f"took ≥ {slow}"] if slow else [])]
        )
        yield f"{units.count(asked)} of {calls} {what} ({units.share(asked, chain.calls)})"
        return
    whole = sum(int(found.forest.calls[node]) for node in found.nodes)
    yield units.several(chain.calls, "call")
    yield units.share(chain.calls, whole)


def _texts(found: Callers, chain: CallChain) -> Iterator[str]:
    of_python = columns.panic(found.forest.traces) == "exception"  # the text tells its type
    said = found.texts(chain)
    for each in said[:_TEXTS]:
        text = escape(each.pattern) or "no text"
        panic = "panic: " if each.panic and not of_python else ""
        line = f"{units.count(each.count)}x {panic}{text}"
        room = columns.width() - len(_INDENT)
        yield line if len(line) <= room else line[: room - 1] + "…"
    if len(said) > _TEXTS:
        rest = sum(each.count for each in said[_TEXTS:])
        yield f"{units.count(rest)}x {units.several(len(said) - _TEXTS, 'other text')}"


def _jump(found: Callers, example: Example) -> str:
    trace = found.forest.chains[example.trace].trace
    track = trace.tracks[example.track]
    path = shlex.quote(str(trace.path))
    at = units.moment(example.start)
    took = "" if example.duration is None else f", {units.duration(example.duration)}"
    return f"{example.why}{took}: functrace replay {path} --track {track.id} --from {at}"
