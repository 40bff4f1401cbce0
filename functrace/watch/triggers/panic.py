"""Trigger on panics, and in Python on exceptions that leave the outermost call of a track."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from functrace import units
from functrace.analysis.failures import is_ending
from functrace.watch.config_keys import duration_s, key
from functrace.watch.figures import ErrorText, Figures
from functrace.watch.firing import JSON
from functrace.watch.triggers.chain_filter import ChainFilter, innermost, last_name
from functrace.watch.triggers.finding import ChainSettings, Finding, most_frequent_text
from functrace.watch.triggers.gauge import Gauge


@dataclass(frozen=True)
class PanicSettings(ChainSettings):
    """Keys of the trigger ``panic``."""

    learning_s: float = key(
        "learning",
        duration_s,
        "10s",
        "time after a process was found in which chains that panic and run on count as usual",
    )


class Panic:
    """Trigger for one process. It fires once for each chain."""

    def __init__(self, settings: PanicSettings) -> None:
        self.gauge = Gauge("panics")
        self._settings = settings
        self._filter = ChainFilter(settings)
        self._usual: set[int] = set()
        self._first: float | None = None

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window."""
        self._first = figures.end if self._first is None else self._first
        judged = self._filter.of(figures.names)
        found: dict[int, list[ErrorText]] = {}
        for error in figures.errors:
            if judged[error.chain] and error.chain not in self._usual and _is_panic(figures, error):
                found.setdefault(error.chain, []).append(error)
        self.gauge.show(sum(e.calls for each in found.values() for e in each), 1, figures.end)
        self._usual |= found.keys()
        if figures.end - self._first < self._settings.learning_s and figures.ended is None:
            return
        chains = innermost(figures.names, list(found))
        for chain in sorted(chains, key=lambda chain: -sum(e.calls for e in found[chain])):
            yield _finding(figures, chain, found[chain])


def _is_panic(figures: Figures, error: ErrorText) -> bool:
    if figures.process.language == "go":
        return error.panicked
    is_outermost = figures.names.is_outermost(error.chain)
    return is_outermost and not is_ending(error.text)


def _finding(figures: Figures, chain: int, errors: list[ErrorText]) -> Finding:
    calls = sum(error.calls for error in errors)
    text = most_frequent_text(errors)
    name = last_name(figures.names, chain)
    is_go = figures.process.language == "go"
    what = "panicked" if is_go else "ended with an uncaught exception"
    summary = f"{units.several(calls, 'call')} of {name} {what}: {text}"
    values: dict[str, JSON] = {"calls": calls, "threshold_calls": 1, "text": text}
    return Finding(chain, summary, values, _origin(figures, chain, errors))


def _origin(figures: Figures, chain: int, errors: list[ErrorText]) -> int:
    """Return the deepest chain below ``chain`` whose calls failed with one of its texts."""
    texts = {error.text for error in errors}
    lineages = {
        error.chain: figures.names.lineage(error.chain)
        for error in figures.errors
        if error.text in texts
    }
    below = [each for each, lineage in lineages.items() if chain in lineage]
    return max(below, key=lambda each: len(lineages[each]), default=chain)
