from __future__ import annotations

import pytest

from rewriter.edit import Edit, apply, delete, insert


def test_applies_edits_in_order_of_offsets() -> None:
    assert apply(b"abcdef", [insert(6, b"!"), Edit(1, 3, b"X"), insert(0, b">")]) == b">aXdef!"


def test_keeps_order_of_insertions_at_same_offset() -> None:
    assert apply(b"ab", [insert(1, b"1"), insert(1, b"2")]) == b"a12b"


@pytest.mark.parametrize("edits", [[delete(0, 3), delete(2, 4)], [insert(9, b"x")]])
def test_rejects_overlaps_and_edits_out_of_range(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="overlaps another edit or is out of range"):
        apply(b"abcd", edits)
