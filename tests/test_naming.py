"""Names of functions without major versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functrace.globs import short_name
from rewriter.import_path import strip_major_version

VECTORS = json.loads((Path(__file__).parent / "vectors_of_names.json").read_text())


@pytest.mark.parametrize(("name", "expected"), VECTORS)
def test_without_version(name: str, expected: str) -> None:
    assert strip_major_version(name) == expected
    assert short_name(name) == expected.rpartition("/")[2]


@pytest.mark.parametrize("name", ["GET /users/{id}", "POST payments/pay", "grpc store.Store/Get"])
def test_the_name_of_a_request_is_not_shortened(name: str) -> None:
    assert short_name(name) == name
