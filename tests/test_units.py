"""Tests of durations and counts in messages."""

from __future__ import annotations

import pytest

from functrace import units
from functrace.errors import UsageError


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("0.0", 0),
        ("00.", 0),
        ("0s", 0),
        ("0.0ms", 0),
        ("1.5ms", 1_500_000),
        (".5us", 500),
        ("7d", 7 * 24 * 3_600_000_000_000),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert units.parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "1", "0.1", ".", "-1s", "1 s", "s"])
def test_invalid_durations(text: str) -> None:
    with pytest.raises(UsageError):
        units.parse_duration(text)


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 tracks of it"), (1, "1 track of it"), (2000, "2,000 tracks of it")]
)
def test_counted_nouns(number: int, words: str) -> None:
    assert units.several(number, "track of it", "tracks of it") == words
    assert units.several(number, "call") == f"{units.count(number)} call{'s' * (number != 1)}"
