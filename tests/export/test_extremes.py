"""Traces with the largest numbers possible: nothing fails, no time is negative."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from functrace.cli.verbs import functrace
from functrace.export import FORMATS
from tests.export.readers import READERS
from tests.tracefile import writer as w

LARGEST_32, LARGEST_64 = (1 << 32) - 1, (1 << 64) - 1
LAST = (1 << 42) - 1  # of the ticks in a word
FILES = [name for name, wanted in FORMATS.items() if wanted.suffix]
VERBS = [
    ["report"],
    ["report", "--json"],
    ["callers", "main.*"],
    ["callers", "main.*", "--json"],
    ["replay"],
    ["replay", "--errors"],
    ["info"],
    ["info", "--json"],
    ["graph", "main.f3"],
]


@pytest.fixture(scope="module", params=[1, 1_000_000_000, LARGEST_64], ids="{} ticks/s".format)
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calls on many chains that last as long as calls can, and every field at its largest."""
    facts = w.facts(
        1,
        w.process('{"argv": ["./shop"], "pid": 1e999, "tool": 7}'),
        *(w.function(number, f"main.f{number}", line=LARGEST_32) for number in range(1, 40)),
    )
    chunks = [facts]
    for number in range(1, 40):
        track = w.track(
            LARGEST_64 - number, 1000, kind=3, starter=number, line=LARGEST_32, name="t"
        )
        chunks.append(
            w.events(
                2 * number,
                track,
                w.enter(number, 0),
                w.enter(40 - number, 0),
                w.base(LARGEST_64),
                w.error("x"),
                w.leave(40 - number, LAST),
                w.suspended(LAST >> 2),
                w.leave(number, LAST),
                track=LARGEST_64 - number,
            )
        )
    path = tmp_path_factory.mktemp("extremes") / "x.ftrace"
    header = w.header(
        rate=request.param, lost=LARGEST_64, pid=LARGEST_32, started=LARGEST_64, start=1000
    )
    path.write_bytes(header + b"".join(chunks))
    return path


def run(*arguments: str) -> str:
    done = CliRunner().invoke(functrace, arguments, catch_exceptions=False)
    assert done.exit_code in (0, 1), done.output
    return done.output


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_verbs(trace: Path, verb: list[str]) -> None:
    output = run(*verb, str(trace))
    assert "Traceback" not in output
    assert not re.search(r"(?<![\w.-])-\d", output), "a negative number"


@pytest.mark.parametrize("to", FILES)
def test_exports_are_read_back(trace: Path, tmp_path: Path, to: str) -> None:
    if to == "svg" and shutil.which("dot") is None:
        pytest.skip("graphviz, which draws call graphs, is not installed")
    out = tmp_path / f"out{FORMATS[to].suffix}"
    run("export", str(trace), "--to", to, "-o", str(out))
    for name, figures in READERS[to](out).items():
        assert (figures.own or 0) >= 0, name
