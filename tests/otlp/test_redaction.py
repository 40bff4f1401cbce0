"""Credentials of a collector are not printed; Go passes the same vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functrace.export.otlp.redaction import redact

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "redaction.json").read_text())


@pytest.mark.parametrize(("text", "expected"), VECTORS["cases"])
def test_vectors(text: str, expected: str) -> None:
    assert redact(text, VECTORS["environment"]) == expected
