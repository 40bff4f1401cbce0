"""Credentials of a collector are not printed; Go passes the same vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functrace.export.otlp.redaction import redact

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "redaction.json").read_text())
ENVIRONMENT = {
    "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=k3y-of-ours,x-tenant=1",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=Basic%20eDp5",
}


@pytest.mark.parametrize(("text", "expected"), VECTORS)
def test_vectors(text: str, expected: str) -> None:
    assert redact(text, ENVIRONMENT) == expected
