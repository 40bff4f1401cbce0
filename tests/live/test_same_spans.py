"""What is sent while a program runs is what is sent of its trace: the very same spans."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path
from random import Random

import pytest

from functrace.export.otlp import Options
from tests.live.growing import Growing
from tests.live.spans import Following, exported, followed
from tests.live.test_programs import PROGRAM
from tests.otlp.program import Program
from tests.python_runtime.conftest import HEAD, Runtime, environment
from tests.tracefile import writer as w

VECTORS = sorted((Path(__file__).parents[1] / "vectors").glob("*.ftrace"))
ROOTS = ("serve", "price", "main.work", "server.audit")
CHOICES = (
    (Options(), ()),
    (Options(), ROOTS),
    (Options(rate=0.5), ()),
    (Options(errors=True), ()),
    (Options(min_duration_ns=40), ()),
    (Options(errors=True, min_duration_ns=100, rate=0.7), ROOTS),
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


def test_calls_at_one_tick_inside_and_outside_an_inherited_call(tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    words = [w.enter(4, 97), w.leave(4, 97), w.leave(1, 97), w.enter(4, 97), w.leave(4, 120)]
    path.write_bytes(
        w.header(version=2)
        + w.FUNCTIONS
        + w.events(2, w.track(3, 1003), w.inherited(1003, 1), *words)
    )
    found = followed(path, Options())
    assert len(found) == 2
    assert found == exported(path, Options())


@pytest.mark.parametrize("full", ["stop", "overwrite"])
def test_a_recording(tmp_path: Path, runtime: Runtime, full: str) -> None:
    """Its clock is the processor's, whose ticks are worth what the header says."""
    repeated = textwrap.dedent(PROGRAM) + "for _ in range(100): asyncio.run(main())\n"
    path = tmp_path / "x.ftrace"
    recording = {"FUNCTRACE": "record", "FUNCTRACE_OUT": str(path), "FUNCTRACE_FULL": full}
    subprocess.run(
        [runtime.python.executable, "-c", HEAD + repeated],
        env=environment(runtime, recording),
        check=True,
    )
    growing = Growing(tmp_path / "growing.ftrace", path.read_bytes(), Random(1))
    following = Following(tmp_path / "growing.ftrace", Options())
    while not growing.is_whole:
        growing.step(500)
        following.follower.advance()
    growing.finish()
    assert following.finish() == exported(path, Options())
    for options in (Options(errors=True), Options(min_duration_ns=1_500_000)):
        for roots in ((), ("work",)):
            found = followed(path, options, roots)
            assert found == exported(path, options, roots)
            assert found or not options.errors
