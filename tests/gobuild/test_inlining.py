"""The compiler's lines about functions that it can inline."""

from __future__ import annotations

import pytest

from functrace.gobuild.inlining import parse_verdicts

SOURCE = b"package p\n\nfunc f() {}\n"
OFFSET = SOURCE.index(b"f() {}")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("/m/a.go:3:6: can inline f", "/m/a.go"),
        ("/m/a.go:3:6: can inline f[go.shape.int]", "/m/a.go"),
        ("x.y:100[/m/a.go:3:6]: can inline f", "/m/a.go"),
        ("/m/x.y:100:7[/m/a.go:3:6]: can inline f", "/m/a.go"),
        ("/m[1]/a:3 b.go:3:6: can inline f", "/m[1]/a:3 b.go"),
        ("x.y:100[/m[1]/a.go:3:6]: can inline f", "/m[1]/a.go"),
    ],
)
def test_finds_position_in_file(line: str, path: str) -> None:
    text = f"/m/b.go:1:1: x does not escape\n{line}\n".encode()
    assert parse_verdicts(text, {path: SOURCE}) == {path: frozenset([OFFSET])}


@pytest.mark.parametrize(
    "line",
    [
        "/m/a.go:3: can inline f",  # beyond the last column that the compiler counts
        "/m/dependency.go:3:6: can inline g[go.shape.int]",
        "/m/a.go:3:6: inlining call to f",
        "/m/a.go:3:6: cannot inline f: recursive",
        "/m/a.go:3:6[/m/b.go:3:6]: can inline f",
    ],
)
def test_ignores_other_lines(line: str) -> None:
    assert parse_verdicts(line.encode(), {"/m/a.go": SOURCE}) == {}
