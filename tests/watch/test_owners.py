from __future__ import annotations

from pathlib import Path

import pytest

from functrace.errors import FunctraceError
from functrace.watch.owners import find_owners, owners_of_file
from tests.watch import firings

pytest.importorskip("pathspec", reason="no pathspec: it is in the dependency group test")

RULES = """
# a comment
*                @everyone
/store/          @store-team admin@example.com  # inline
*.py             @python
docs/*           @docs
internal/legacy  @old
/apps/           @apps
/apps/open
my\\ folder/      @space
!/store/keep     @negated
[Section]
"""


@pytest.fixture
def codeowners(tmp_path: Path) -> Path:
    path = tmp_path / "CODEOWNERS"
    path.write_text(RULES)
    return path


@pytest.mark.parametrize(
    ("file", "owners"),
    [
        ("main.go", ("@everyone",)),
        ("store/store.go", ("@store-team", "admin@example.com")),
        ("store/keep/a.go", ("@store-team", "admin@example.com")),
        ("/build/src/shop/store/store.go", ("@store-team", "admin@example.com")),
        ("example.com/shop/store/store.go", ("@store-team", "admin@example.com")),
        ("store/tool.py", ("@python",)),  # the last rule that matches
        ("/srv/app/cart.py", ("@python",)),
        ("docs/a.txt", ("@docs",)),
        ("/build/docs/a.txt", ("@docs",)),
        ("internal/legacy/deep/a.go", ("@old",)),
        ("apps/a.go", ("@apps",)),
        ("apps/open/a.go", ()),  # a rule without owners
        ("my folder/a.go", ("@space",)),
        ("../../store/a.go", ("@store-team", "admin@example.com")),
    ],
)
def test_last_matching_rule_wins(codeowners: Path, file: str, owners: tuple[str, ...]) -> None:
    assert owners_of_file(file, codeowners) == owners


def test_file_beside_codeowners_is_matched_as_it_is(codeowners: Path, tmp_path: Path) -> None:
    nested = tmp_path / "vendor" / "store" / "a.go"
    assert owners_of_file(str(nested), codeowners) == ("@store-team", "admin@example.com")
    for path in (nested, tmp_path / "docs" / "deep" / "a.txt"):
        path.parent.mkdir(parents=True)
        path.touch()
        assert owners_of_file(str(path), codeowners) == ("@everyone",)
    (tmp_path / ".github").mkdir()
    moved = codeowners.rename(tmp_path / ".github" / "CODEOWNERS")
    assert owners_of_file(str(nested), moved) == ("@everyone",)


def test_owners_of_the_service_have_precedence(codeowners: Path) -> None:
    firing = firings.firing(Path("a.ftrace"))
    assert find_owners(firing, ("@shop",), codeowners) == ("@shop",)
    assert find_owners(firing, (), codeowners) == ("@store-team", "admin@example.com")
    assert find_owners(firings.firing(Path("a.ftrace"), file=None), (), codeowners) == ()
    assert find_owners(firing, (), None) == ()


def test_unreadable_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FunctraceError, match="CODEOWNERS: No such file"):
        owners_of_file("a.go", tmp_path / "CODEOWNERS")
    (tmp_path / "CODEOWNERS").write_bytes(b"* @a\n" * 1_000_000)
    with pytest.raises(FunctraceError, match="larger than"):
        owners_of_file("a.go", tmp_path / "CODEOWNERS")


def test_any_bytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "CODEOWNERS"
    path.write_bytes(b"\xff\xfe\x00 @a\n*** @b\n\\ @c\n/ @d\n*.go\t@e\r\n")
    assert owners_of_file("a.go", path) == ("@e",)
