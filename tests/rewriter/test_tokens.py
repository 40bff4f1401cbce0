from __future__ import annotations

import pytest

from rewriter.errors import SourceError
from rewriter.golang.tokens import make_error, match_brackets, tokenize


def texts(source: str) -> list[str]:
    return [token.text.decode() for token in tokenize(source.encode())]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x // func {\n", ["x", "\n"]),
        ("x /* func { */ y", ["x", "y"]),
        ("`raw\n{ \\`", ["`raw\n{ \\`"]),
        (r'"\"{" x', [r'"\"{"', "x"]),
        (r"'{' '\'' x", ["'{'", r"'\''", "x"]),
        ("'世' größe", ["'世'", "größe"]),
        ("0x1p-2 1_000.5e+3i .5", ["0x1p-2", "1_000.5e+3i", ".5"]),
        ("a[1:].b", ["a", "[", "1", ":", "]", ".", "b"]),
        ("f(xs...)", ["f", "(", "xs", "...", ")"]),
        ("c <- <-d", ["c", "<-", "<-", "d"]),
        ("\ufeffpackage p", ["package", "p"]),
    ],
)
def test_what_is_one_token(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


@pytest.mark.parametrize(
    "last", ["x", "1", '"s"', "`s`", "'r'", ")", "]", "}", "++", "--", "return"]
)
def test_a_newline_ends_a_statement_behind(last: str) -> None:
    assert texts(f"{last}\n") == [last, "\n"]


@pytest.mark.parametrize("last", ["+", ",", "(", "{", "<-", "...", "func", "go", "struct", "if"])
def test_a_newline_does_not_end_one_behind(last: str) -> None:
    assert texts(f"{last}\n") == [last]


def test_a_comment_over_lines_ends_a_statement_as_a_newline_does() -> None:
    assert texts("x /* a\nb */ y") == ["x", "\n", "y"]
    assert texts("x /* a */ y") == ["x", "y"]


def test_a_semicolon_ends_a_statement_once() -> None:
    assert [t.kind for t in tokenize(b"x;\ny\n")] == ["word", "end", "word", "end"]


def test_offsets_are_bytes_of_the_source() -> None:
    source = "世 /* c */ `a\nb` {".encode()
    for token in tokenize(source):
        assert source[token.start : token.end] == token.text


@pytest.mark.parametrize("source", [b'"open', b"`open", b"'open\n'", b"x \x0c y", b'"a\nb"'])
def test_bytes_that_begin_no_token_are_an_error(source: bytes) -> None:
    with pytest.raises(SourceError, match="not a Go token"):
        list(tokenize(source))


def test_brackets_find_their_partners() -> None:
    source = b"f(a[1], struct{}{})"
    tokens = list(tokenize(source))
    partners = match_brackets(source, tokens)
    found = {source[tokens[a].start : tokens[b].end] for a, b in partners.items()}
    assert found == {b"(a[1], struct{}{})", b"[1]", b"{}"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"f(]", "1:3: unexpected ]"),
        (b"x\n}", "2:1: unexpected }"),
        (b"f(\n{", "2:1: { is never closed"),
    ],
)
def test_brackets_without_partner_are_an_error(source: bytes, message: str) -> None:
    with pytest.raises(SourceError) as error:
        match_brackets(source, list(tokenize(source)))
    assert str(error.value) == message


def test_an_error_has_line_and_column_in_bytes() -> None:
    source = "a\nö x".encode()
    error = make_error(source, source.index(b"x"), "why")
    assert (error.line, error.column, error.message) == (2, 4, "why")
