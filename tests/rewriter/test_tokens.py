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
def test_splits_tokens(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


@pytest.mark.parametrize(
    "last", ["x", "1", '"s"', "`s`", "'r'", ")", "]", "}", "++", "--", "return"]
)
def test_newline_ends_statement_after(last: str) -> None:
    assert texts(f"{last}\n") == [last, "\n"]


@pytest.mark.parametrize("last", ["+", ",", "(", "{", "<-", "...", "func", "go", "struct", "if"])
def test_newline_does_not_end_statement_after(last: str) -> None:
    assert texts(f"{last}\n") == [last]


def test_multi_line_comment_ends_statement() -> None:
    assert texts("x /* a\nb */ y") == ["x", "\n", "y"]
    assert texts("x /* a */ y") == ["x", "y"]


def test_semicolon_before_newline_ends_statement_once() -> None:
    assert [t.kind for t in tokenize(b"x;\ny\n")] == ["word", "end", "word", "end"]


def test_offsets_are_bytes() -> None:
    source = "世 /* c */ `a\nb` {".encode()
    for token in tokenize(source):
        assert source[token.start : token.end] == token.text


@pytest.mark.parametrize("source", [b'"open', b"`open", b"'open\n'", b"x \x0c y", b'"a\nb"'])
def test_rejects_invalid_tokens(source: bytes) -> None:
    with pytest.raises(SourceError, match="not a Go token"):
        list(tokenize(source))


def test_matches_brackets() -> None:
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
def test_rejects_unmatched_brackets(source: bytes, message: str) -> None:
    with pytest.raises(SourceError) as error:
        match_brackets(source, list(tokenize(source)))
    assert str(error.value) == message


def test_error_has_line_and_column_in_bytes() -> None:
    source = "a\nö x".encode()
    error = make_error(source, source.index(b"x"), "why")
    assert (error.line, error.column, error.message) == (2, 4, "why")
