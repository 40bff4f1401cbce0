"""Most frequent error texts of a chain: a summary of bounded size that can be merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from functrace.analysis.failures import pattern_of
from functrace.tracefile.facts import encodable

MAX_TEXTS = 8
"""Limit on the texts of a chain in a window."""
_MAX_CHARACTERS = 200


@dataclass(frozen=True, order=True)
class ErrorText:
    """Text of failed calls, with # in place of what differs from call to call."""

    text: str
    panicked: bool


@dataclass(frozen=True)
class ErrorTexts:
    """Texts with counts. A count is exact, or too low by at most `undercount`.

    It is the summary of Misra and Gries: if there are more than `limit` texts, the count of the
    first one beyond the limit is taken from all. So a text of more calls than `undercount` is in
    it, and merging in any order keeps that.
    """

    counts: Mapping[ErrorText, int]
    undercount: int = 0


NO_TEXTS = ErrorTexts({})


def error_text(text: str, *, panicked: bool) -> ErrorText:
    """Return the entry of a failed call's text."""
    return ErrorText(encodable(pattern_of(text))[:_MAX_CHARACTERS], panicked)


def summarized(counts: Mapping[ErrorText, int], failed: int) -> ErrorTexts:
    """Return a summary of the texts of failed calls, of which some may have an unknown text."""
    summary = bounded(counts)
    return replace(summary, undercount=summary.undercount + max(failed - sum(counts.values()), 0))


def merged(several: Iterable[ErrorTexts], limit: int = MAX_TEXTS) -> ErrorTexts:
    """Return the summary of all texts."""
    counts: Counter[ErrorText] = Counter()
    undercount = 0
    for texts in several:
        counts.update(texts.counts)
        undercount += texts.undercount
    return bounded(counts, undercount, limit)


def bounded(
    counts: Mapping[ErrorText, int], undercount: int = 0, limit: int = MAX_TEXTS
) -> ErrorTexts:
    """Return a summary of counts with at most `limit` texts."""
    ranked = sorted(counts.values(), reverse=True)
    excess = ranked[limit] if len(ranked) > limit else 0
    kept = {text: count - excess for text, count in counts.items() if count > excess}
    return ErrorTexts(kept, undercount + excess)
