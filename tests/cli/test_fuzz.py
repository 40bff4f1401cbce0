"""A small part of make fuzz-traces: every verb and export over mutated traces."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tests.cli.fuzz import FaultError, fuzz


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mutated_traces(seed: int) -> None:
    assert fuzz(seed, rounds=20) == 80


@pytest.mark.parametrize(
    ("module", "name", "fault"),
    [
        ("functrace.text.safe_text", "escape", "acts on a terminal"),
        ("functrace.tracefile.facts", "_encodable", "UnicodeEncodeError"),
        ("functrace.units", "duration", "a negative number"),
    ],
)
def test_fuzzer_finds_faults(
    module: str, name: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = _negative if name == "duration" else _same
    monkeypatch.setattr(importlib.import_module(module), name, broken)
    monkeypatch.setattr("tests.cli.fuzz.KEPT", None)
    with pytest.raises(FaultError, match=fault):
        fuzz(1, rounds=50)


def _same(value: Any) -> Any:
    return value


def _negative(nanoseconds: float) -> str:
    return f"-{nanoseconds:.0f}ns"
