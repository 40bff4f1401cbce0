"""Golden files: expected outputs in both layouts, and invariants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewriter.golang import Layout
from tests.rewriter.cases import CASES, FUNCTRACE, Case, load
from tests.support import txtar
from tests.support.toolchains import Go

_INJECTED = re.compile(
    rb'; import functrace\d* "[^"]*"'
    rb"| defer (\w+)\.(?:Trace\(\)\(\)|Exit\(\1\.Enter\(\), &\w+\));"
)
# Parts of an added result name, with the parentheses that it needs.
_NAMES = re.compile(rb"functraceErr\d*|[()_ ]")
_GIVEN = ("args", "input.go", "sibling.go")


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Case:
    return load(request.param)


def test_outcome(case: Case, golden: bool) -> None:
    given = {n: t for n, t in case.archive.files.items() if n in _GIVEN}
    made = case.outcome()
    if golden:
        _check_invariants(case)
        txtar.save(case.path, txtar.Archive(case.archive.comment, given | made))
    assert case.archive.files == given | made or golden


def test_invariants(case: Case) -> None:
    _check_invariants(case)


def _check_invariants(case: Case) -> None:
    if "error" in case.outcome():
        return
    for layout in Layout:
        once = case.inject(layout)
        assert case.inject(layout, once) == once, "a second run changes something"
        if "hand-written" not in case.arguments:
            assert case.strip(layout, once) == case.input, "strip does not restore the input"
    built = case.inject(Layout.BUILD).split(b"\n")
    for before, after in zip(case.input.split(b"\n"), built, strict=True):
        assert _original(case, after) == _original(case, before), "a line has moved"


def _original(case: Case, line: bytes) -> bytes:
    """Return the line without what the build layout adds."""
    text = _INJECTED.sub(b"", line)
    return _NAMES.sub(b"", text) if "errors" in case.arguments else text


def test_outputs_compile_and_are_formatted(go: Go, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text(f"module example.com/golden\n\ngo 1.{go.release[1]}\n")
    runtime = tmp_path / "functrace" / "functrace.go"
    runtime.parent.mkdir()
    runtime.write_text(FUNCTRACE)
    written = [folder for path in CASES for folder in _write(load(path), tmp_path, go)]
    for verb in ("build", "vet"):
        run = go.run(verb, "./...", cwd=tmp_path, CGO_ENABLED="1")
        assert run.returncode == 0, run.stderr
    assert go.unformatted(*(f for f in written if f.name == "source")) == set()


def _write(case: Case, root: Path, go: Go) -> Iterator[Path]:
    """Write each layout's output as a package; yield the folders that gofmt must accept."""
    made = case.outcome()
    if "error" in made or go.release < case.release or "uncompiled" in case.arguments:
        return
    for name in ("source", "build"):
        folder = root / case.path.stem.replace("-", "_") / name
        folder.mkdir(parents=True)
        (folder / "input.go").write_bytes(made[f"{name}.go"])
        (folder / "data.txt").write_text("for go:embed")
        if "sibling.go" in case.archive.files:
            (folder / "sibling.go").write_bytes(case.archive.files["sibling.go"])
        if "unformatted" not in case.arguments:
            yield folder
