"""Note below a report about functions that were not recorded because of FUNCTRACE_BUDGET."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from functrace import units
from functrace.cli.render import terminal
from functrace.text import safe_text
from functrace.text.safe_text import SafeText

if TYPE_CHECKING:
    from functrace.tracefile import Trace

_MAX_TRACES = 3


def show(traces: Iterable[Trace]) -> None:
    """Print the note below a report."""
    for each in lines(traces):
        terminal.echo(each, fg="yellow")


def warn(traces: Iterable[Trace]) -> None:
    """Print the note to standard error."""
    for sentence in sentences(traces):
        terminal.echo(f"functrace: {sentence}", err=True, fg="yellow")


def lines(traces: Iterable[Trace]) -> Iterator[SafeText]:
    """Yield an empty line and the lines of the note; nothing if no function was demoted."""
    for number, sentence in enumerate(sentences(traces)):
        if not number:
            yield SafeText("")
        for each in textwrap.wrap(
            sentence, terminal.width(), subsequent_indent="  ", break_on_hyphens=False
        ):
            yield safe_text.line(each)


def sentences(traces: Iterable[Trace]) -> list[str]:
    """Return a sentence for each of the first traces with demoted functions."""
    from functrace.analysis.demoted import not_recorded

    opened = list({trace.path: trace for trace in traces}.values())
    found = [(trace, sentence) for trace in opened if (sentence := not_recorded(trace))]
    lines = [
        f"{sentence}; functrace info {shlex.quote(str(trace.path))} lists all"
        for trace, sentence in found[:_MAX_TRACES]
    ]
    more = len(found) - len(lines)
    if more:
        lines.append(f"functions of {units.several(more, 'more trace')} were not recorded either")
    return lines
