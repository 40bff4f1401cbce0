"""functrace export, as a command."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli import recorded
from tests.cli.conftest import Run


def test_to_standard_output_or_a_file(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    printed = functrace("export", "a.ftrace", "--to", "jsonl")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert len(list(map(json.loads, printed.stdout.splitlines()))) == 1 + 2 + 6
    written = functrace("export", ".", "--to", "jsonl", "-o", "a.jsonl")
    assert (written.returncode, written.stdout) == (0, "")
    assert (module / "a.jsonl").read_text() == printed.stdout


def test_several_traces(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    (module / "b.ftrace").write_bytes(recorded.trace(failing=True))
    each = [functrace("export", f"{name}.ftrace", "--to", "jsonl").stdout for name in "ab"]
    assert functrace("export", "a.ftrace", "b.ftrace", "--to", "jsonl").stdout == "".join(each)
    assert functrace("export", ".", "--to", "jsonl").stdout == "".join(each)


def test_refusals(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    (module / "b.ftrace").write_bytes(recorded.trace())
    done = functrace("export", ".", "--to", "jsonl", "-o", "./b.ftrace")
    assert done.returncode == 1
    assert done.stderr == "functrace: ./b.ftrace is a trace that is to be exported\n"
    assert (module / "b.ftrace").read_bytes() == recorded.trace()


def test_formats_are_those_of_the_table() -> None:
    from functrace.cli.export import FORMATS as OFFERED
    from functrace.export import FORMATS

    assert OFFERED == FORMATS
