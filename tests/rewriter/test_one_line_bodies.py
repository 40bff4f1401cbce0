"""Bodies on one line: kept, or broken and marked so that strip can join them."""

from __future__ import annotations

import pytest

from rewriter.edit import apply
from rewriter.golang import Options, plan_inject, plan_strip

OPTIONS = Options(closures=True)
LONG = b"println(first, second, third); return first + second"
DECLARED = b"func add(first, second, third int) int { " + LONG + b" }"
LITERAL = b"var add = func(first, second, third int) int { " + LONG + b" }"
MARK = b"defer functrace.Trace()() //functrace:oneline"


def inject(text: bytes) -> bytes:
    return apply(text, plan_inject(text, OPTIONS).edits)


def strip(text: bytes) -> bytes:
    return apply(text, plan_strip(text, OPTIONS).edits)


def file(*lines: bytes, newline: bytes = b"\n") -> bytes:
    return newline.join((b"package p", b"", *lines, b""))


@pytest.mark.parametrize("function", [DECLARED, LITERAL])
def test_breaks_lines_like_gofmt_and_joins_them(function: bytes) -> None:
    once = inject(file(function))
    assert b"int {\n\t" + MARK + b"\n\tprintln(" in once
    assert inject(once) == once
    assert strip(once) == file(function)


@pytest.mark.parametrize("function", [DECLARED, LITERAL])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_keeps_line_ends_of_the_file(function: bytes, newline: bytes) -> None:
    text = file(function, newline=newline)
    once = inject(text)
    assert once.count(b"\n") == once.count(newline)
    assert strip(once) == text


def test_join_keeps_added_statement() -> None:
    once = inject(file(DECLARED)).replace(b"\treturn", b"\tprintln()\n\treturn")
    assert strip(once) == file(DECLARED).replace(b"return", b"println(); return")


def test_does_not_join_body_with_added_comment() -> None:
    once = inject(file(DECLARED)).replace(b"\treturn", b"\t// why\n\treturn")
    broken = b"{\n\t" + LONG.replace(b"; ", b"\n\t// why\n\t") + b"\n}"
    assert strip(once) == file(DECLARED).replace(b"{ " + LONG + b" }", broken)


@pytest.mark.parametrize(
    "body",
    [b"{ /* a\n\tb */\n\tprintln()\n}", b"{ /* nothing */ }"],
    ids=["over lines", "alone"],
)
def test_adds_no_semicolon_before_comment(body: bytes) -> None:
    """gofmt writes no semicolon there."""
    text = file(b"func f() " + body)
    assert b"; /*" not in inject(text)
    assert strip(inject(text)) == text
