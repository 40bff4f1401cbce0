"""Round trip of the running Python's standard library and its tests: a sample, or all.

``FUNCTRACE_CONFORMANCE=all`` takes every file; the rest of what is checked is the same.
"""

from __future__ import annotations

import ast
import os
import sysconfig
import warnings
from collections import Counter
from pathlib import Path
from types import CodeType

import pytest

from rewriter.errors import SourceError
from rewriter.python import Options, plan_inject
from tests.python_rewriter.cases import inject, strip, tree, without_injected

_LIB = Path(sysconfig.get_path("stdlib"))
_ALL = os.environ.get("FUNCTRACE_CONFORMANCE") == "all"
_EVERY = 1 if _ALL else 29
# Maximum number of skipped files; none is skipped in CPython 3.11 to 3.13.
_LEFT_ALONE = 5


@pytest.mark.parametrize("lambdas", [False, True])
def test_standard_library(*, lambdas: bool) -> None:
    options = Options(lambdas=lambdas)
    files = [f for f in sorted(_LIB.rglob("*.py")) if "site-packages" not in f.parts]
    seen = Counter(_check(file, options) for file in files[int(lambdas) :: _EVERY])
    left = {reason: n for reason, n in seen.items() if reason not in ("instrumented", "refused")}
    assert seen["instrumented"] > 15  # Debian has the tests in a package of their own
    assert sum(left.values()) <= _LEFT_ALONE, left


def _check(file: Path, options: Options) -> str:
    source = file.read_bytes()
    try:
        plan = plan_inject(source, options)
    except SourceError:
        assert not _python_takes(source), file
        return "refused"
    if plan.file_skip_reason:
        return plan.file_skip_reason
    once = inject(source, options)
    assert strip(once, options) == source, file
    assert plan_inject(once, options).edits == (), file
    if plan.functions:
        _check_trees(file, source, once, options)
    return "instrumented"


def _check_trees(file: Path, source: bytes, once: bytes, options: Options) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        after = ast.parse(once)
        compile(once, str(file), "exec", dont_inherit=True)
        hooked = tree(source, options)
        assert _lines(hooked) == _lines(ast.parse(source)), file
        assert ast.dump(hooked) == ast.dump(after), file
        if not options.lambdas:
            assert without_injected(ast.parse(source)) == without_injected(after), file


def _lines(tree: ast.Module) -> list[set[int]]:
    """Return the lines of each code object as debuggers and coverage tools see them."""
    codes = [compile(tree, "<source>", "exec", dont_inherit=True)]
    for code in codes:
        codes += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
    return [{line for *_, line in code.co_lines() if line} for code in codes]


def _python_takes(source: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(source, "<source>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
        return True
