"""Tests of the escaping of invisible and control characters."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functrace.runtime.escaping import escape, escape_lines

# The Go runtime and the Go sender are tested with the same vectors.
_VECTORS = Path(__file__).parents[1] / "vectors" / "escaping.json"


@pytest.mark.parametrize("vector", json.loads(_VECTORS.read_text()))
def test_vectors(vector: dict[str, str]) -> None:
    text = vector.get("text") or bytes.fromhex(vector["bytes"]).decode(errors="surrogateescape")
    assert escape(text) == vector["escaped"]


def test_surrogates_that_are_not_bytes() -> None:
    assert escape("\ud800\udc7f\udfff") == r"\ud800\udc7f\udfff"


@given(st.text(st.characters(exclude_categories=())))
def test_no_control_or_format_character_remains(text: str) -> None:
    escaped = escape(text)
    assert not {unicodedata.category(c) for c in escaped} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert escape(escaped) == escaped


def test_escape_lines_keeps_line_breaks_and_tabs() -> None:
    assert escape_lines("a\tb\r\nc\x1b\rd\n") == "a\tb\r\n" + r"c\x1b\rd" + "\n"
