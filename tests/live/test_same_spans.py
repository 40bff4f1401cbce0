"""What is sent while a program runs is what is sent of its trace: the very same spans."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.export.otlp import Options
from tests.live.spans import exported, followed
from tests.otlp.program import Program

VECTORS = sorted((Path(__file__).parents[1] / "vectors").glob("*.ftrace"))
ROOTS = ("serve", "price", "main.work", "server.audit")
CHOICES = (
    (Options(), ()),
    (Options(), ROOTS),
    (Options(rate=0.5), ()),
    (Options(errors=True), ()),
    (Options(slow=40), ()),
    (Options(errors=True, slow=100, rate=0.7), ROOTS),
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.stem)
def test_vectors(vector: Path) -> None:
    for options, roots in CHOICES:
        assert followed(vector, options, roots) == exported(vector, options, roots)


@pytest.mark.parametrize("seed", range(8))
def test_programs(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "x.ftrace"
    path.write_bytes(Program(seed, steps=800).written())
    for options, roots in CHOICES:
        found = followed(path, options, roots)
        assert found == exported(path, options, roots)
        assert len(set(found)) == len(found)
    assert len(followed(path, Options())) == len(Program(seed, steps=800).calls)
