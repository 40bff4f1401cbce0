"""What a terminal would act on, or not show, is escaped; all else stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functrace.escaping import escape, escape_lines


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain", "plain"),
        ("naïve → 数字 👍️ e\u0301 \u3000", "naïve → 数字 👍️ e\u0301 \u3000"),
        ("back\\slash", "back\\slash"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\nb\tc\rd\x08\x7f\0", r"a\nb\tc\rd\x08\x7f\x00"),
        ("\x9b2J\x85", r"\x9b2J\x85"),
        ("\u202eabc\u2069\u061c\u200f", r"\u202eabc\u2069\u061c\u200f"),
        ("a\u200bb\ufeff\xad\u2060", r"a\u200bb\ufeff\xad\u2060"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\udcff\ud800", r"\udcff\ud800"),
        ("\U000e0041\U000e0101", r"\U000e0041\U000e0101"),
        ("\u3164\u115f\u034f", r"\u3164\u115f\u034f"),
    ],
)
def test_escapes(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_acts_is_left(text: str) -> None:
    escaped = escape(text)
    assert not {unicodedata.category(c) for c in escaped} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert escape(escaped) == escaped


def test_lines_and_tabs_of_a_text() -> None:
    assert escape_lines("a\tb\r\nc\x1b\rd\n") == "a\tb\r\n" + r"c\x1b\rd" + "\n"
