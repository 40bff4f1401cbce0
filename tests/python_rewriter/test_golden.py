"""Golden files: expected outputs and invariants."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Iterator

import pytest

from rewriter.errors import SkipFile
from rewriter.python import libcst_positions, proof
from rewriter.python.parse import parse
from tests.python_rewriter.cases import CASES, Case, load, run, tree, without_injected
from tests.support import txtar

_GIVEN = ("args", "input.py")


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Case:
    found = load(request.param)
    if sys.version_info[:2] < found.release:
        pytest.skip(f"needs Python {found.release}")
    return found


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
    once = case.inject()
    assert case.inject(once) == once, "a second run changes something"
    stripped = case.strip(once)
    assert case.strip(stripped) == stripped, "a second strip changes something"
    if "hand-written" not in case.words:
        assert stripped == case.input, "strip does not restore the input"
    before, after = ast.parse(case.input), ast.parse(once)
    if "lambdas" not in case.words:
        assert without_injected(before) == without_injected(after), "the program has changed"


def test_tree(case: Case) -> None:
    """The import hook's tree is the same and keeps every line number."""
    if "error" in case.outcome():
        return
    hooked = tree(case.input, case.options())
    assert ast.dump(hooked) == ast.dump(ast.parse(case.inject()))
    assert _lines(hooked) == _lines(ast.parse(case.input))


def _lines(program: ast.Module) -> list[tuple[str, int]]:
    return sorted(_functions(compile(program, "input.py", "exec", dont_inherit=True)))


def _functions(code: types.CodeType) -> Iterator[tuple[str, int]]:
    yield code.co_name, code.co_firstlineno
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _functions(constant)


def test_program_prints_the_same(case: Case) -> None:
    if "error" in case.outcome() or "not-run" in case.words:
        return
    expected = run(case.input)
    assert run(case.inject()) == expected
    assert run(tree(case.input, case.options())) == expected


def test_libcst_finds_the_same_functions(case: Case) -> None:
    """The fallback finds each function at the same position, or skips the file."""
    if "error" in case.outcome():
        return
    source = parse(case.input)
    try:
        starts = libcst_positions.find_starts(source)
    except SkipFile:
        assert case.path.stem == "continuation", "libcst fails"
        return
    assert all(source.get_start(node) == at for node, at in starts.items())  # type: ignore[arg-type]


def test_proof_finds_a_difference(case: Case) -> None:
    if "error" in case.outcome():
        return
    program = ast.parse(case.input)
    changed = ast.parse(case.input + b"\n_ = 1\n")
    nothing = proof.Injected((), "functrace")
    assert proof.is_same(program, ast.parse(case.input), nothing)
    assert not proof.is_same(program, changed, nothing)
