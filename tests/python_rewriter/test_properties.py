"""Property tests with sources made of difficult pieces, and edits in between."""

from __future__ import annotations

import ast
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rewriter.errors import SkipFile, SourceError
from rewriter.python import Options, libcst_positions, plan_inject
from rewriter.python.parse import parse
from tests.python_rewriter.cases import inject, strip, tree, without_injected

OPENINGS = st.lists(
    st.sampled_from(
        [
            '"""Doc."""',
            "'''a\n\ndef fake(): pass\n'''  # c",
            "from __future__ import annotations",
            "from __future__ import (\n  division,\n)",
            "# a comment",
            "#!/bin/sh",
            "# coding: utf-8",
            "",
            "import os",
            "from os import *",
            "x = lambda: lambda y=lambda: 1: y",
            "import functrace",
            "import functrace as _functrace_",
            "_functrace1_ = 1",
        ]
    ),
    max_size=6,
)
JOINTS = st.sampled_from(["\n", "\n", "\n", "\n\n", "; ", ";\n", "; \\\n", "  # c\n"])
DECORATORS = st.lists(
    st.sampled_from(
        [
            "@staticmethod",
            "@ a.b(\n  c,\n)",
            "# comment",
            "",
            "@overload",
            "@numba.njit",
            "@functrace.trace",
            "@_functrace_.trace",
            "# functrace: skip",
            "@(lambda f: f)",
        ]
    ),
    max_size=3,
)
HEADS = st.sampled_from(
    [
        "def f():",
        "async def f(a, /, b: int = 1, *c, d=lambda: 0, **e) -> {1: lambda: 2}:",
        "def f(\n  a,\n  b,  # functrace: skip\n):",
        "def \\\n  f(): # c",
        "class C(B, metaclass=lambda *a: M):",
        "if TYPE_CHECKING:",
        "while x:",
        "with a as b, c as d:",
        "for x in y:",
    ]
)
LINES = st.sampled_from(
    [
        "pass",
        "...",
        '"""doc"""',
        "return",
        "x = 1; y = 2",
        "return [lambda:0 for x in y], (lambda: (\n1\n))",
        "f'{(lambda: 1)()=}'",
        '"""\ndef g():\n  pass\n"""',
        "global g",
        "# comment",
        "",
        "\x0c",
        "yield",
        "import functrace as _functrace_",
        "\\\n  # not a comment",
    ]
)


@st.composite
def blocks(draw: st.DrawFn, depth: int = 2) -> list[str]:
    """Return the lines of a compound or simple statement, not indented."""
    if depth == 0 or draw(st.booleans()):
        return draw(LINES).split("\n")
    unit = draw(st.sampled_from([" ", "    ", "\t", "  \t"]))
    head = [*draw(DECORATORS), draw(HEADS)]
    body = [line for _ in range(draw(st.integers(1, 3))) for line in draw(blocks(depth - 1))]
    return [*"\n".join(head).split("\n"), *(unit + line for line in (*body, "pass"))]


@st.composite
def sources(draw: st.DrawFn) -> bytes:
    opening = "".join(line + draw(JOINTS) for line in draw(OPENINGS))
    lines = [line for _ in range(draw(st.integers(1, 4))) for line in draw(blocks())]
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = re.sub("\n", newline, opening + "\n".join(lines) + draw(st.sampled_from(["\n", ""])))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


OPTIONS = st.builds(Options, lambdas=st.booleans())


@settings(max_examples=400, deadline=None)
@given(sources(), OPTIONS)
@example(b"def f(): x", Options())
@example(b"# functrace: skip\r\ndef f(): x\r\ndef g(): x\r\n", Options())
@example(b"#!/bin/sh; # functrace: skip\ndef f(): x\ndef g(): x\n", Options())
@example(b"# coding: utf-8 # functrace: skip\r\ndef f(): x\ndef g(): x\n", Options())
@example(b"import functrace as _functrace_; \\\n# c\nf = lambda: 1\n", Options(lambdas=True))
@example(b"import functrace as _functrace_ \\\n# c\nf = lambda: 1\n", Options(lambdas=True))
@example(b"x = 1; import functrace as _functrace_; \\\n# c\nf = lambda: 1\n", Options(lambdas=True))
def test_inject_and_strip(source: bytes, options: Options) -> None:
    try:
        plan = plan_inject(source, options)
    except SourceError:
        return
    assert plan.file_skip_reason is None
    if not plan.functions:
        assert plan.edits == ()
        return
    once = inject(source, options)
    assert inject(once, options) == once
    assert strip(once, options) == strip(source, options)
    again = plan_inject(once, options)
    assert len(again.traced) == len(plan.traced) + len(plan.functions)
    assert len(again.skipped) == len(plan.skipped)
    assert ast.dump(tree(source, options)) == ast.dump(ast.parse(once))
    if not options.lambdas:
        assert without_injected(ast.parse(source)) == without_injected(ast.parse(once))


@settings(max_examples=200, deadline=None)
@given(sources(), st.data())
def test_strip_after_edits(source: bytes, data: st.DataObject) -> None:
    """Strip works after lines were added, deleted or duplicated."""
    try:
        lines = inject(source, Options(lambdas=True)).splitlines(keepends=True)
    except SourceError:
        return
    at = data.draw(st.integers(0, max(len(lines) - 1, 0)))
    lines[at : at + 1] = data.draw(st.sampled_from([[], lines[at : at + 1] * 2, [b"# x\n"]]))
    edited = b"".join(lines)
    try:
        once = strip(edited, Options())
    except SourceError:
        return
    assert strip(once, Options()) == once


@settings(max_examples=200, deadline=None)
@given(sources())
def test_libcst_finds_the_same_functions(source: bytes) -> None:
    try:
        parsed = parse(source)
        starts = libcst_positions.find_starts(parsed)
    except (SourceError, SkipFile):
        return
    assert all(parsed.get_start(node) == at for node, at in starts.items())  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_rewrites_or_rejects_any_bytes(junk: bytes) -> None:
    for source in (junk, b"def f(): return 1\n" + junk, junk + b"\ndef f(): return 1\n"):
        try:
            once = inject(source, Options(lambdas=True))
        except SourceError:
            continue
        assert strip(once, Options()) == source
