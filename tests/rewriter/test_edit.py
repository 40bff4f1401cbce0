from __future__ import annotations

import pytest

from rewriter.edit import Edit, apply, delete, insert


def test_edits_are_made_in_order_of_their_offsets() -> None:
    assert apply(b"abcdef", [insert(6, b"!"), Edit(1, 3, b"X"), insert(0, b">")]) == b">aXdef!"


def test_insertions_at_one_offset_keep_their_order() -> None:
    assert apply(b"ab", [insert(1, b"1"), insert(1, b"2")]) == b"a12b"


@pytest.mark.parametrize("edits", [[delete(0, 3), delete(2, 4)], [insert(9, b"x")]])
def test_overlaps_and_edits_outside_are_faults(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="overlaps another edit or is out of range"):
        apply(b"abcd", edits)
