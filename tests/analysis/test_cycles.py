"""Recursion folded: which chains count as the same."""

from __future__ import annotations

import pytest

from functrace.analysis.cycles import Places


@pytest.mark.parametrize(
    ("chain", "folded"),
    [
        ("abc", "abc"),
        ("aaa", "a"),
        ("abab", "ab"),
        ("ababa", "aba"),
        ("xabcabcabcy", "xabcy"),
        ("abbabb", "ab"),
        ("aba", "aba"),
        ("abcdefghabcdefgh", "abcdefgh"),
        ("abcdefghiabcdefghi", "abcdefghiabcdefghi"),
    ],
)
def test_a_repeated_cycle_is_kept_once(chain: str, folded: str) -> None:
    places = Places()
    place, letters = -1, {}
    for letter in chain:
        place, closed = places.step(place, ord(letter))
        if not closed:
            letters[place] = letter
    assert "".join(letters[each] for each in places.path(place)) == folded
