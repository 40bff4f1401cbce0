"""Sources that text files cannot contain: line ends, byte order marks, invalid UTF-8."""

from __future__ import annotations

import re

import pytest

from rewriter.edit import apply
from rewriter.errors import SourceError
from rewriter.golang import Layout, Options, plan_inject, plan_strip

OPTIONS = Options(runtime_import="example.com/m/functrace", closures=True)
PLAIN = b'package p\n\nimport (\n\t"fmt"\n)\n\nfunc f() {\n\tfmt.Println()\n}\n\nfunc g() {}\n'

SOURCES = {
    "crlf": PLAIN.replace(b"\n", b"\r\n"),
    "mixed line ends": PLAIN.replace(b"{\n", b"{\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "byte order mark and crlf": b"\xef\xbb\xbf" + PLAIN.replace(b"\n", b"\r\n"),
    "no newline at the end": PLAIN[:-1],
    "latin-1 in a comment": PLAIN + b"\n// caf\xe9\n",
    "latin-1 in a raw string": PLAIN + b"\nvar s = `caf\xe9`\n",
    "UTF-8 names": "package p\n\ntype 世 struct{}\n\nfunc (世) größe() {}\n".encode(),
    "indented declaration": PLAIN.replace(b"\n\nfunc f", b"\n\n\tfunc f"),
    "trailing blanks": PLAIN.replace(b"{\n", b"{ \t\n"),
    "one line": b"package p;func f(){};func g(){f()}",
    "only a package": b"package p",
    "empty": b"",
    "comment at the very end": PLAIN + b"// end",
    "brace on the last byte": b"package p\n\nfunc f() {\n}",
}


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_round_trip(source: bytes, layout: Layout) -> None:
    options = Options(runtime_import=OPTIONS.runtime_import, layout=layout, closures=True)
    once = apply(source, plan_inject(source, options).edits)
    assert once.count(b"defer functrace.Trace()()") == source.count(b"func ")
    assert plan_inject(once, options).edits == ()
    assert apply(once, plan_strip(once, options).edits) == source


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("result", [b"error", b"(int, error)", b"(\n\tint,\n\terror,\n)"])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_round_trip_with_errors(source: bytes, result: bytes, layout: Layout) -> None:
    newline = b"\r\n" if b"\r\n" in source else b"\n"
    text = re.sub(rb"\) ?\{", b") %s {" % result.replace(b"\n", newline), source)
    options = Options(layout=layout, closures=True, errors=True)
    once = apply(text, plan_inject(text, options).edits)
    count = text.count(b"func ")
    assert once.count(b"defer functrace.Exit(functrace.Enter(), &functraceErr)") == count
    assert once.count(b"functraceErr error") == count
    assert plan_inject(once, options).edits == ()
    assert apply(once, plan_strip(once, options).edits) == text


def test_keeps_crlf_line_ends() -> None:
    once = apply(SOURCES["crlf"], plan_inject(SOURCES["crlf"], OPTIONS).edits)
    assert once.count(b"\n") == once.count(b"\r\n")


def test_keeps_byte_order_mark_first() -> None:
    source = SOURCES["byte order mark"]
    for layout in Layout:
        plan = plan_inject(source, Options(layout=layout))
        assert apply(source, plan.edits).startswith(b"\xef\xbb\xbfpackage p")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (b"package p\n\nfunc f() {\n\t\0\n}\n", 4),
        (b"package p\n\nfunc f() {\n", 3),
        (b"package p\n\nfunc f() {\n}}\n", 4),
        (b"package p\n\nfunc f() {\n\tx := := 1\n}\n", 4),
        (b"package p\n<<<<<<< HEAD\nfunc f() {\n}\n", 2),
        (b"func\n", 1),
        (b"func f() {\n}\n", 1),
        (b"// Only a comment.\n\nfunc f() {\n}\n", 3),
    ],
)
def test_reports_line_of_invalid_syntax(source: bytes, line: int) -> None:
    with pytest.raises(SourceError) as error:
        plan_inject(source, OPTIONS)
    assert error.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        b'import "fmt"\n\npackage p\n',
        b'package p\n\nfunc f() {}\n\nimport "fmt"\n',
        b"package p\n\nx := 1\n\nfunc f() {}\n",
        b"package p\n\npackage q\n\nfunc f() {}\n",
        b"func f() {}\n",
    ],
    ids=["import first", "import last", "statement", "two packages", "no package"],
)
def test_rejects_declarations_out_of_order(text: bytes) -> None:
    with pytest.raises(SourceError):
        plan_inject(text + b"\nfunc g() {}\n", Options())


BARE = b'package p\n\nimport "example.com/m/functrace"\n'


def test_strip_removes_unused_import() -> None:
    assert apply(BARE, plan_strip(BARE, OPTIONS).edits) == b"package p\n"


@pytest.mark.parametrize("use", [b"functrace . Other()", b"functrace/**/.Other()"])
def test_strip_keeps_import_with_other_uses(use: bytes) -> None:
    source = BARE + b"\nfunc f() {\n\t" + use + b"\n}\n"
    once = apply(source, plan_inject(source, OPTIONS).edits)
    assert b".Trace()()" in once
    assert apply(once, plan_strip(once, OPTIONS).edits) == source


def test_strip_keeps_import_of_package_with_another_name() -> None:
    """Only the last path element is functrace; the package may have any name."""
    source = b'package p\n\nimport "example.com/other/functrace"\n\nvar x = trace.X\n'
    assert plan_strip(source, OPTIONS).edits == ()
