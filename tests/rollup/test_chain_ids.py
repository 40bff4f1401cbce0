"""Ids of chains are those of tests/vectors/chain-ids.json, in every language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functrace.rollup.chain_ids import NO_PARENT, chain_id

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "chain-ids.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vectors(vector: dict[str, Any]) -> None:
    found = NO_PARENT
    for step in vector["chain"]:
        found = chain_id(found, step["function"], started=step["started"])
    assert found.hex() == vector["id"]


def test_different_chains_have_different_ids() -> None:
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)
