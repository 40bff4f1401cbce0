"""Trigger on error texts and failing chains that were never seen before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from functrace import units
from functrace.analysis.failures import pattern_of
from functrace.watch.config_keys import count, duration_s, flag, key
from functrace.watch.figures import OTHER_TEXTS, ErrorText, Figures
from functrace.watch.firing import JSON
from functrace.watch.triggers.chain_filter import ChainFilter, innermost, last_name
from functrace.watch.triggers.finding import ChainSettings, Finding
from functrace.watch.triggers.gauge import Gauge

_MAX_KNOWN = 20_000
"""Texts and chains that are remembered; beyond, nothing counts as new."""

_Key: TypeAlias = "tuple[int, str]"
"""A failing chain with an empty text, or a function with the pattern of a text."""


@dataclass(frozen=True)
class NewErrorSettings(ChainSettings):
    """Keys of the trigger ``new-error``."""

    learning_s: float = key(
        "learning", duration_s, "60s", "time after a process was found in which nothing is new"
    )
    calls: int = key("calls", count, 5, "failing calls that a new text or chain must have")
    over_s: float = key("over", duration_s, "10s", "time within which it must have them")
    handled: bool = key(
        "handled", flag, False, "also failures that the direct caller did not return"
    )


@dataclass
class _Candidate:
    chain: int
    text: str
    began: float
    calls: int = 0


class NewError:
    """Trigger for one process."""

    def __init__(self, settings: NewErrorSettings) -> None:
        self.gauge = Gauge("calls")
        self._settings = settings
        self._filter = ChainFilter(settings)
        self._known: set[_Key] = set()
        self._candidates: dict[_Key, _Candidate] = {}
        self._first: float | None = None

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window."""
        self._first = figures.end if self._first is None else self._first
        is_learning = figures.end - self._first < self._settings.learning_s
        for error, keys in self._errors(figures):
            for each in keys:
                if each not in self._known:
                    self._count(each, error, figures.end)
        if is_learning or len(self._known) >= _MAX_KNOWN:
            self._settle(lambda _: True)
            why = "learning" if is_learning else "too many different texts"
            self.gauge.show_none(why)
            return
        yield from self._fire(figures)

    def _errors(self, figures: Figures) -> Iterator[tuple[ErrorText, list[_Key]]]:
        judged, names = self._filter.of(figures.names), figures.names
        failing = {int(row["chain"]) for row in figures.chains[figures.chains["failed"] > 0]}
        for error in figures.errors:
            is_outermost = names.is_outermost(error.chain)
            is_returned = is_outermost or names.parents[error.chain] in failing
            if judged[error.chain] and (is_returned or self._settings.handled):
                keys = [(error.chain, "")]
                if error.text and error.text != OTHER_TEXTS:
                    keys.insert(0, (names.functions_of[error.chain], pattern_of(error.text)))
                yield error, keys

    def _count(self, each: _Key, error: ErrorText, now: float) -> None:
        candidate = self._candidates.setdefault(each, _Candidate(error.chain, error.text, now))
        candidate.calls += error.calls

    def _fire(self, figures: Figures) -> Iterator[Finding]:
        limit, now = self._settings.calls, figures.end
        most = max((each.calls for each in self._candidates.values()), default=0)
        self.gauge.show(most, limit, now)
        found: dict[int, tuple[_Key, _Candidate]] = {}
        for each, candidate in self._candidates.items():
            if candidate.calls >= limit:
                found.setdefault(candidate.chain, (each, candidate))
        oldest = now - self._settings.over_s
        self._settle(lambda each: each.calls >= limit or each.began <= oldest)
        chains = innermost(figures.names, list(found))
        for chain in sorted(chains, key=lambda chain: -found[chain][1].calls):
            yield self._finding(figures, *found[chain])

    def _settle(self, is_decided: Callable[[_Candidate], bool]) -> None:
        """Make candidates known."""
        decided = [each for each, candidate in self._candidates.items() if is_decided(candidate)]
        for each in decided:
            del self._candidates[each]
        self._known.update(decided)

    def _finding(self, figures: Figures, found: _Key, candidate: _Candidate) -> Finding:
        name = last_name(figures.names, candidate.chain)
        calls = units.several(candidate.calls, "failing call")
        what = "through a chain that never failed before" if not found[1] else "with a new text"
        values: dict[str, JSON] = {
            "calls": candidate.calls,
            "threshold_calls": self._settings.calls,
            "text": candidate.text,
        }
        summary = f"{calls} of {name} {what}: {candidate.text}"
        return Finding(candidate.chain, summary, values, candidate.chain)
