"""Round trip of the whole Go distribution, compared with go/parser."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tree_sitter import Node

from rewriter.edit import apply
from rewriter.golang import (
    Layout,
    Options,
    find_package_level_names,
    functions,
    grammar_gaps,
    plan_inject,
    plan_strip,
)
from rewriter.golang.grammar import parse as grammar_parse
from rewriter.golang.parse import parse
from tests.conformance import distribution
from tests.rewriter.cases import FUNCTRACE
from tests.support.toolchains import Go

pytestmark = pytest.mark.slow

RUNTIME = "example.com/m/functrace"
_ALL = os.environ.get("FUNCTRACE_CONFORMANCE") == "all"
CENSUS = Path(__file__).resolve().parents[1] / "support" / "census"


@dataclass(frozen=True)
class Entry:
    """Result of go/parser for a file: offsets of the bodies of functions and literals."""

    path: Path
    functions: tuple[str, ...]
    literals: tuple[str, ...]


@pytest.fixture(scope="module")
def census(go: Go) -> list[Entry]:
    return list(_census(go, go.source))


def _census(go: Go, folder: Path) -> Iterator[Entry]:
    run = go.run("run", "main.go", str(folder), cwd=CENSUS, GO111MODULE="off")
    assert run.returncode == 0, run.stderr
    for line in run.stdout.splitlines():
        path, *found = line.split("\t")
        declared, literals = (tuple(f.split(",")) if f else () for f in found)
        yield Entry(Path(path), declared, literals)


def _spread(work, tasks):  # type: ignore[no-untyped-def]
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        return [r for r in pool.imap_unordered(work, tasks, chunksize=50) if r]


def test_finds_the_same_functions_as_go_parser(census: list[Entry]) -> None:
    assert len(census) > 5000
    assert _spread(_compare, census) == []


def _compare(entry: Entry) -> str | None:
    source = entry.path.read_bytes()
    return _compare_functions(entry, source, parse(source, is_known_valid=True))


def _compare_functions(entry: Entry, source: bytes, root: Node) -> str | None:
    found = functions.find(source, root, closures=True)
    declared = tuple(str(f.open) if f.open >= 0 else "-" for f in found if not f.is_literal)
    literals = tuple(str(f.open) for f in found if f.is_literal)
    is_same = declared == entry.functions and sorted(literals) == sorted(entry.literals)
    return None if is_same else str(entry.path)


def test_finds_the_same_functions_in_skeletons(census: list[Entry]) -> None:
    """The workaround agrees with the grammar on files that both support."""
    assert _spread(_compare_skeleton, census[::10]) == []


def _compare_skeleton(entry: Entry) -> str | None:
    source = entry.path.read_bytes()
    skeleton = grammar_parse(grammar_gaps.make_skeleton(source))
    return _compare_functions(entry, source, skeleton.root_node)


FORMS = {
    "source": (Layout.SOURCE, False),
    "source-closures": (Layout.SOURCE, True),
    "build-closures": (Layout.BUILD, True),
}


@pytest.mark.parametrize("form", FORMS)
def test_round_trip(go: Go, census: list[Entry], tmp_path: Path, form: str) -> None:
    """Each file is tested in one form, or in all with FUNCTRACE_CONFORMANCE=all."""
    layout, closures = FORMS[form]
    files = census if _ALL else census[[*FORMS].index(form) :: len(FORMS)]
    options = Options(runtime_import=RUNTIME, layout=layout, closures=closures, is_known_valid=True)
    tasks = [(e, options, tmp_path / f"{i}.go") for i, e in enumerate(files)]
    assert _spread(_round_trip, tasks) == []
    assert len(list(_census(go, tmp_path))) == len(files), "an output does not parse"
    if layout is Layout.SOURCE and not closures:
        clean = _formatted_before(go, files)
        after = {Path(p).stem for p in go.unformatted(tmp_path)}
        assert {str(i) for i, e in enumerate(files) if e.path in clean} & after == set()


@pytest.mark.parametrize("layout", Layout)
def test_round_trip_with_errors(
    go: Go, census: list[Entry], tmp_path: Path, layout: Layout
) -> None:
    closures = layout is Layout.BUILD
    options = Options(
        runtime_import=RUNTIME, layout=layout, closures=closures, is_known_valid=True, errors=True
    )
    some = census[::8]
    tasks = [(e, options, tmp_path / f"{i}.go") for i, e in enumerate(some)]
    assert _spread(_round_trip, tasks) == []
    assert len(list(_census(go, tmp_path))) == len(some), "an output does not parse"
    if layout is Layout.SOURCE:
        after = {Path(p).stem for p in go.unformatted(tmp_path)}
        dirty = {some[int(stem)].path for stem in after}
        assert {Path(p) for p in go.unformatted(*dirty)} == dirty


PACKAGES = """
    archive/tar archive/zip bufio encoding/csv encoding/xml html/template io mime mime/multipart
    net/textproto text/template
""".split()


def test_named_results_compile(go: Go, tmp_path: Path) -> None:
    target = tmp_path / "std"
    distribution.make(go.source, target, PACKAGES, go.release)
    options = Options(f"{distribution.MODULE}/functrace", closures=True, errors=True)
    named = 0
    for package in PACKAGES:
        texts = {p: p.read_bytes() for p in (target / package).glob("*.go")}
        names = frozenset[str]().union(*map(find_package_level_names, texts.values()))
        for path, text in texts.items():
            once = apply(text, plan_inject(text, replace(options, package_names=names)).edits)
            named += once.count(b"functraceErr error)")
            path.write_bytes(once)
    assert named > 200
    (target / "functrace").mkdir()
    (target / "functrace" / "functrace.go").write_text(FUNCTRACE)
    run = go.run("vet", "-assign", "-copylocks", "-defers", "./...", cwd=target)
    assert run.returncode == 0, run.stderr


def _formatted_before(go: Go, census: list[Entry]) -> set[Path]:
    """Return the files that gofmt would not change."""
    unformatted = {Path(p) for p in go.unformatted(go.source)}
    return {e.path for e in census} - unformatted


def _round_trip(task: tuple[Entry, Options, Path]) -> str | None:
    entry, options, target = task
    source = entry.path.read_bytes()
    once = apply(source, plan_inject(source, options).edits)
    target.write_bytes(once)
    if plan_inject(once, options).edits:
        return f"{entry.path}: a second run changes something"
    if apply(once, plan_strip(once, options).edits) != source:
        return f"{entry.path}: strip does not restore the bytes"
    if options.layout is Layout.BUILD and once.count(b"\n") != source.count(b"\n"):
        return f"{entry.path}: a line has moved"
    return None
