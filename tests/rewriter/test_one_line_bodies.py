"""Bodies on one line: kept there, or broken and marked so that strip can join them."""

from __future__ import annotations

import pytest

from rewriter.edit import apply
from rewriter.golang import Options, plan_inject, plan_strip

ASKED = Options(closures=True)
LONG = b"println(first, second, third); return first + second"
DECLARED = b"func add(first, second, third int) int { " + LONG + b" }"
LITERAL = b"var add = func(first, second, third int) int { " + LONG + b" }"
MARK = b"defer functrace.Trace()() //functrace:oneline"


def inject(text: bytes) -> bytes:
    return apply(text, plan_inject(text, ASKED).edits)


def strip(text: bytes) -> bytes:
    return apply(text, plan_strip(text, ASKED).edits)


def file(*lines: bytes, newline: bytes = b"\n") -> bytes:
    return newline.join((b"package p", b"", *lines, b""))


@pytest.mark.parametrize("function", [DECLARED, LITERAL])
def test_what_gofmt_would_break_is_broken_and_joined(function: bytes) -> None:
    once = inject(file(function))
    assert b"int {\n\t" + MARK + b"\n\tprintln(" in once
    assert inject(once) == once
    assert strip(once) == file(function)


@pytest.mark.parametrize("function", [DECLARED, LITERAL])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_line_ends_stay_the_files_own(function: bytes, newline: bytes) -> None:
    text = file(function, newline=newline)
    once = inject(text)
    assert once.count(b"\n") == once.count(newline)
    assert strip(once) == text


def test_a_statement_added_by_hand_stays() -> None:
    once = inject(file(DECLARED)).replace(b"\treturn", b"\tprintln()\n\treturn")
    assert strip(once) == file(DECLARED).replace(b"return", b"println(); return")


def test_what_can_no_longer_stand_on_one_line_stays_broken() -> None:
    once = inject(file(DECLARED)).replace(b"\treturn", b"\t// why\n\treturn")
    broken = b"{\n\t" + LONG.replace(b"; ", b"\n\t// why\n\t") + b"\n}"
    assert strip(once) == file(DECLARED).replace(b"{ " + LONG + b" }", broken)


@pytest.mark.parametrize(
    "body",
    [b"{ /* a\n\tb */\n\tprintln()\n}", b"{ /* nothing */ }"],
    ids=["over lines", "alone"],
)
def test_a_comment_behind_the_brace_takes_no_semicolon(body: bytes) -> None:
    """gofmt writes none there, so none may be left in a clean source."""
    text = file(b"func f() " + body)
    assert b"; /*" not in inject(text)
    assert strip(inject(text)) == text
