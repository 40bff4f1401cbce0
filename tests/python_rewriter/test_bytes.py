"""Sources with bytes that text files cannot contain."""

from __future__ import annotations

import ast
import sys

import pytest

from rewriter.errors import ENCODING, TOO_DEEP, UNPROVEN, SourceError
from rewriter.filters import Location
from rewriter.python import Options, libcst_positions, plan_inject, plan_strip
from rewriter.python.parse import ParsedSource, parse
from rewriter.python.skip_rules import MAX_BYTES
from tests.python_rewriter.cases import inject, run, strip, tree, without_injected

OPTIONS = Options(lambdas=True)
IMPORT = b"import functrace as _functrace_"
TRACE = b"@_functrace_.trace"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            b'"""d"""\r\nfrom __future__ import annotations\r\n\r\ndef f():\r\n\treturn 1\r\n',
            b'"""d"""\r\nfrom __future__ import annotations\r\n%s\r\n\r\n'
            b"%s\r\ndef f():\r\n\treturn 1\r\n",
            id="crlf",
        ),
        pytest.param(
            b"x = 1\rdef f():\r    return 1\r", b"%s\rx = 1\r%s\rdef f():\r    return 1\r", id="cr"
        ),
        pytest.param(
            b"x = 1\r\nif x:\n  def f(): return 1\n",
            b"%s\r\nx = 1\r\nif x:\n  %s\n  def f(): return 1\n",
            id="both",
        ),
        pytest.param(
            b"\xef\xbb\xbfdef f(): return 1\n",
            b"\xef\xbb\xbf%s\n%s\ndef f(): return 1\n",
            id="byte-order-mark",
        ),
        pytest.param(
            b"\xef\xbb\xbf# coding: utf-8\nimport os; f = 1\ndef f(): return 1\n",
            b"\xef\xbb\xbf# coding: utf-8\n%s\nimport os; f = 1\n%s\ndef f(): return 1\n",
            id="byte-order-mark-and-cookie",
        ),
        pytest.param(b"def f(): return 1", b"%s\n%s\ndef f(): return 1", id="no-newline"),
        pytest.param(
            b"import os\r\ndef f(): return 1",
            b"%s\r\nimport os\r\n%s\r\ndef f(): return 1",
            id="no-last-newline",
        ),
        pytest.param(
            b"x = 1\n\x0cdef f(): return 1\n\x0c\nif x:\n    \x0c  def g(): return 1\n",
            b"%s\nx = 1\n\x0c%s\ndef f(): return 1\n\x0c\nif x:\n    \x0c  @_functrace_.trace\n"
            b"  def g(): return 1\n",
            id="form-feed",
        ),
        pytest.param(
            b"#!/bin/x\n# coding: latin-1\nx = '\xe9'; f = 1\ndef \xe9(): return '\xe9'\n",
            b"#!/bin/x\n# coding: latin-1\n%s\nx = '\xe9'; f = 1\n%s\ndef \xe9(): return '\xe9'\n",
            id="latin-1",
        ),
        pytest.param(
            b"# coding: latin-1\r'\xe9'; f = 1\rdef \xe9(): return '\xe9'\r",
            b"# coding: latin-1\r'\xe9'; %s; f = 1\r%s\rdef \xe9(): return '\xe9'\r",
            id="latin-1-cr",
        ),
        pytest.param(
            "# coding: shift_jis\nx = '表'\ndef f(): return '表'\n".encode("shift_jis"),
            "# coding: shift_jis\n%s\nx = '表'\n%s\ndef f(): return '表'\n".encode("shift_jis"),
            id="shift-jis",
        ),
        pytest.param(
            "# coding: utf-8\nx = '表'\ndef \uff46(): return '\u2028'\n".encode(),
            "# coding: utf-8\n%s\nx = '表'\n%s\ndef \uff46(): return '\u2028'\n".encode(),
            id="wide",
        ),
    ],
)
def test_injects_and_restores_bytes(before: bytes, after: bytes) -> None:
    once = inject(before, OPTIONS)
    assert once == after % (IMPORT, TRACE)
    assert strip(once, OPTIONS) == before
    assert inject(once, OPTIONS) == once
    assert without_injected(ast.parse(before)) == without_injected(ast.parse(once))
    assert ast.dump(tree(before, OPTIONS)) == ast.dump(ast.parse(once))
    assert run(before) == run(once)


def test_lambdas_after_wide_characters() -> None:
    before = "# coding: iso-2022-jp\nx = '表', lambda: '示', lambda: lambda: 1\n"
    once = inject(before.encode("iso-2022-jp"), OPTIONS)
    assert once.decode("iso-2022-jp") == (
        "# coding: iso-2022-jp\nimport functrace as _functrace_\n"
        "x = '表', _functrace_.trace(lambda: '示'), "
        "_functrace_.trace(lambda: _functrace_.trace(lambda: 1))\n"
    )
    assert strip(once, OPTIONS) == before.encode("iso-2022-jp")


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        (b"def f(): return 1\r\n\0", 2, 1),
        (b"\xef\xbb\xbfdef f(:\n", 1, 7),
        ("def f():\n    'é' é é\n".encode(), 2, 10),
        (b"# coding: nowhere\ndef f(): return 1\n", 1, 1),
        (b"\xef\xbb\xbf# coding: latin-1\ndef f(): return 1\n", 1, 1),
        (b"def f():\n        if 1:\n\t    return 1\n", 3, None),
        (b"def f():\n    return '\xff'\n", None, None),
        (b"def f():\n  return 1\n return 2\n", 3, None),
        (b"def f():\n    return (1\n", 2, 12),
        (b"def f():\n    nonlocal x\n", 2, 5),
        (b"def f(a, a): return 1\n", None, None),
    ],
)
def test_rejects_invalid_source(source: bytes, line: int | None, column: int | None) -> None:
    with pytest.raises(SourceError) as raised:
        plan_inject(source, OPTIONS)
    assert raised.value.line == line or line is None
    assert raised.value.column == column or column is None
    assert raised.value.line >= 1
    assert raised.value.column >= 1


@pytest.mark.parametrize(
    "source",
    [
        b"def f(x):\n    if x: pass\n"
        + b"".join(b"    elif x == %d: return 1\n" % i for i in range(9000)),
        b"def f(): return " + b"-" * 100_000 + b"1\n",
        b"def f(): return 1" + b"+1" * 100_000 + b"\n",
    ],
    ids=["elif", "unary", "binary"],
)
def test_skips_source_that_is_nested_too_deeply(source: bytes) -> None:
    assert plan_inject(source, OPTIONS).file_skip_reason == TOO_DEEP
    assert plan_inject(source, OPTIONS).edits == ()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the codec may change")
def test_skips_ambiguous_encoding() -> None:
    source = b"# coding: utf-7\ndef f(): return '+AOk-', '+AGEAYg-'\n"
    assert plan_inject(source, OPTIONS).file_skip_reason == ENCODING


def test_libcst_corrects_wrong_position(monkeypatch: pytest.MonkeyPatch) -> None:
    source = b"class A:\n    def f(self):\n        return 1\n"
    expected = inject(source, OPTIONS)
    right = libcst_positions.find_starts(parse(source)).values()
    start = ParsedSource.get_start
    monkeypatch.setattr(
        libcst_positions, "find_starts", lambda parsed: dict(zip(_defs(parsed), right, strict=True))
    )

    def wrong(parsed: ParsedSource, node: ast.stmt) -> int:
        return start(parsed, node) - (isinstance(node, ast.FunctionDef) and parsed.raw == source)

    monkeypatch.setattr(ParsedSource, "get_start", wrong)
    assert inject(source, OPTIONS) == expected


def _defs(parsed: ParsedSource) -> list[ast.AST]:
    return [node for node in ast.walk(parsed.tree) if isinstance(node, ast.FunctionDef)]


def test_skips_file_that_cannot_be_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    source = b"class A:\n    def f(self):\n        return 1\n"
    monkeypatch.setattr(ParsedSource, "get_indent", lambda *_: b"")
    plan = plan_inject(source, OPTIONS)
    assert (plan.file_skip_reason, plan.edits) == (UNPROVEN, ())


def test_skips_stub_file() -> None:
    plan = plan_inject(b"def f(): return 1\n", Options(location=Location("a/b.pyi", "a.b")))
    assert plan.file_skip_reason == "stub file"


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        pytest.param(
            b"import os, functrace as _functrace_, sys\n@_functrace_.trace\ndef f(): return 1\n",
            b"import os, sys\ndef f(): return 1\n",
            id="import-merged",
        ),
        pytest.param(
            b"import functrace as _functrace_, sys\n@_functrace_.trace\ndef f(): return 1\n",
            b"import sys\ndef f(): return 1\n",
            id="import-merged-first",
        ),
        pytest.param(
            b"import os; import functrace as _functrace_\n@_functrace_.trace\ndef f(): return 1\n",
            b"import os\ndef f(): return 1\n",
            id="import-joined",
        ),
        pytest.param(
            b"import functrace as _functrace_  # why\n"
            b"@_functrace_.trace  # so\ndef f(): return 1\n",
            b"# why\n# so\ndef f(): return 1\n",
            id="comments",
        ),
        pytest.param(
            b"import functrace as _functrace_\n"
            b"@_functrace_.trace\n\n@property\n# c\ndef f(): return 1\n",
            b"\n@property\n# c\ndef f(): return 1\n",
            id="not-innermost",
        ),
        pytest.param(
            b"import functrace as _functrace_\nprint(_functrace_)\n"
            b"@_functrace_.trace\ndef f(): return 1\n",
            b"import functrace as _functrace_\nprint(_functrace_)\ndef f(): return 1\n",
            id="used-otherwise",
        ),
        pytest.param(
            b"import other as _functrace_\n@_functrace_.trace\ndef f(): return 1\n",
            b"import other as _functrace_\n@_functrace_.trace\ndef f(): return 1\n",
            id="of-something-else",
        ),
        pytest.param(
            b"import functrace as _functrace_\n@_functrace_.trace  # functrace: keep\n"
            b"def f(): return 1\n@_functrace_.trace\ndef g(): return 1\n",
            b"import functrace as _functrace_\n@_functrace_.trace  # functrace: keep\n"
            b"def f(): return 1\ndef g(): return 1\n",
            id="kept",
        ),
        pytest.param(
            b"import functrace as _functrace_\nf = _functrace_.trace( lambda: 1 )\n",
            b"f = lambda: 1\n",
            id="lambda-spaced",
        ),
        pytest.param(
            b"try:\n    import functrace as _functrace_\nexcept ImportError: pass\n"
            b"@_functrace_.trace\ndef f(): return 1\n",
            b"try:\n    import functrace as _functrace_\nexcept ImportError: pass\n"
            b"@_functrace_.trace\ndef f(): return 1\n",
            id="in-try",
        ),
    ],
)
def test_strip_after_edits(edited: bytes, expected: bytes) -> None:
    assert strip(edited, OPTIONS) == expected
    assert strip(expected, OPTIONS) == expected


def test_strip_reports_functions() -> None:
    source = b"def f():\n    def g(): return lambda: 1\n    return g\ndef h(): ...\n"
    plan = plan_strip(inject(source, OPTIONS), OPTIONS)
    assert [f.name for f in plan.functions] == ["f", "f.g", "f.g.<lambda>"]


def test_strips_two_runs_at_once() -> None:
    source = b"def f(): return 1\ndef g(): return lambda: 1\n"
    once = inject(source, Options())
    assert strip(inject(once, OPTIONS), OPTIONS) == source


def test_skips_file_that_is_too_large() -> None:
    source = b"def f(): return 1\n".ljust(MAX_BYTES + 1, b"\n")
    plan = plan_inject(source, OPTIONS)
    assert (plan.file_skip_reason, plan.edits) == ("larger than 4 MiB", ())
