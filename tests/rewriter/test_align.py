from __future__ import annotations

import pytest

from rewriter.golang.align import Row, render


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([Row(b"func f()", b"{}")], "func f() {}"),
        (
            [Row(b"func a()", b"{ x() }"), Row(b"func long() int", b"{ y() }")],
            "func a()        { x() }\nfunc long() int { y() }",
        ),
        (
            [Row(b"func a()", b"{ x() }", b"// 1"), Row(b"func b()", b"{ xyz() }", b"// 2")],
            "func a() { x() }   // 1\nfunc b() { xyz() } // 2",
        ),
        (  # a broken body parts the columns, but its last line belongs to those below
            [
                Row(b"func aa()", b"{ x() }"),
                Row(b"func broken()", b"{\n\tx()\n}", b"// end"),
                Row(b"func c() int", b"{ z() }"),
            ],
            "func aa() { x() }\nfunc broken() {\n\tx()\n}            // end\nfunc c() int { z() }",
        ),
        (  # columns count characters, not bytes
            [Row("func größe()".encode(), b"{ x() }"), Row(b"func b()", b"{ y() }")],
            "func größe() { x() }\nfunc b()     { y() }",
        ),
        ([], ""),
    ],
    ids=["alone", "bodies", "comments", "broken", "characters", "none"],
)
def test_aligns_rows_like_gofmt(rows: list[Row], expected: str) -> None:
    assert render(rows).decode() == expected
