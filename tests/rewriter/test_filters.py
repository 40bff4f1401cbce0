from __future__ import annotations

from dataclasses import dataclass

import pytest

from rewriter.filters import (
    Filters,
    Location,
    find_matching_globs,
    get_file_skip_reason,
    make_filter,
)
from rewriter.plan import Function

FILE = Location("store/sql/db.go", "example.com/shop/store/sql")
MODULE = Location("src/shop/store/sql.py", "shop.store.sql")
MAIN = Location("main.go", "example.com/shop", ("main",))


@dataclass(frozen=True)
class Found:
    function: Function


def _chosen(filters: Filters, name: str, location: Location = FILE) -> str | None:
    choose = make_filter(filters, location, lambda found: found.function.name.istitle())
    return choose(Found(Function(name, 1, 3)))


@pytest.mark.parametrize(
    ("glob", "name", "location"),
    [
        ("sql.Get", "(*DB).Get", FILE),
        ("example.com/shop/store/sql.(*DB).Get", "(*DB).Get", FILE),
        ("sql.DB.get", "DB.get", MODULE),
        ("shop.store.sql.*", "DB.get", MODULE),
        ("main.Get", "Get", MAIN),
        ("Get", "Get", Location("x.go")),
    ],
)
def test_functions_have_their_full_names(glob: str, name: str, location: Location) -> None:
    """tests/test_globs.py has the other cases."""
    assert _chosen(Filters(include=(glob,)), name, location) is None
    assert _chosen(Filters(exclude=(glob,)), name, location) == "excluded by --exclude"


def test_main_is_not_called_by_its_path() -> None:
    assert _chosen(Filters(include=("shop.Get",)), "Get", MAIN) == "not in --include"


def test_exclude_wins() -> None:
    assert _chosen(Filters(("*",), ("Get",)), "Get") == "excluded by --exclude"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        *((FILE, path) for path in ("store/sql/db.go", "db.go", "store/...", "store", "./store/")),
        *((FILE, path) for path in ("example.com/shop/...", "*/sql", "*.go")),
        *((MODULE, path) for path in ("shop", "shop.store", "shop.*", "src", "sql.py")),
    ],
)
def test_paths_that_match(location: Location, path: str) -> None:
    assert get_file_skip_reason(Filters(include_path=(path,)), location) is None
    excluded = get_file_skip_reason(Filters(exclude_path=(path,)), location)
    assert excluded == "excluded by --exclude-path"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        *((FILE, path) for path in ("sto", "shop", "other/...", "sql.go", "sql.Get", "Get")),
        *((MODULE, path) for path in ("store", "store.sql", "shop.st", "DB")),
    ],
)
def test_paths_that_do_not_match(location: Location, path: str) -> None:
    skipped = get_file_skip_reason(Filters(include_path=(path,)), location)
    assert skipped == "not in --include-path"
    assert get_file_skip_reason(Filters(exclude_path=(path,)), location) is None


def test_filters_that_match_are_named_with_their_option() -> None:
    filters = Filters(("Get", "store"), ("Put", "sql.*"), ("store", "Get"), ("db.go", "sql.*"))
    assert find_matching_globs(filters, FILE, ["(*DB).Get"]) == {
        "--include Get",
        "--exclude sql.*",
        "--include-path store",
        "--exclude-path db.go",
    }


def test_exported_only() -> None:
    assert _chosen(Filters(exported_only=True), "Get") is None
    assert _chosen(Filters(exported_only=True), "get") == "not exported"
