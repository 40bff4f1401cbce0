"""Folded stacks: one line per chain with its functions, outermost first, and a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from functrace.analysis import Chains, fold
from functrace.export import process_names
from functrace.export.stacks import stacks, weight
from functrace.runtime.escaping import escape
from functrace.tracefile import Trace


def write(traces: Sequence[Trace], out: BinaryIO, by: str = "time") -> None:
    """Write the chains of all traces; several traces get a root frame per process."""
    write_chains(list(map(process_names.title, traces)), map(fold, traces), out, by)


def write_chains(
    titles: Sequence[str], chains: Iterable[Chains], out: BinaryIO, by: str = "time"
) -> None:
    """Write chains; several get a root frame each, with its title."""
    for title, each in zip(titles, chains, strict=True):
        root = _frame(title) + ";" if len(titles) > 1 else ""
        out.writelines(_lines(each, root, by))


def _lines(chains: Chains, root: str, by: str) -> Iterator[bytes]:
    names = [_frame(function.name) for function in chains.trace.functions]
    for stack, value in zip(stacks(chains), weight(chains, by).tolist(), strict=True):
        if value:
            frames = ";".join(names[function] for function in reversed(stack))
            yield f"{root}{frames} {value}\n".encode()


def _frame(name: str) -> str:
    """Return a name without frame and line separators, which the format cannot escape."""
    visible = escape(name).replace(";", ":")
    return "".join(" " if c.isspace() else c for c in visible) or "?"
