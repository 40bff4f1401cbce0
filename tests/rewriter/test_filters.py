from __future__ import annotations

from dataclasses import dataclass

import pytest

from rewriter.filters import Filters, Location, get_file_skip_reason, make_filter
from rewriter.plan import Function

FILE = Location("store/sql/db.go", "example.com/shop/store/sql")
MODULE = Location("src/shop/store/sql.py", "shop.store.sql")


@dataclass(frozen=True)
class Found:
    function: Function


def _chosen(filters: Filters, name: str, *others: str, location: Location = FILE) -> str | None:
    choose = make_filter(filters, location, lambda found: found.function.name.istitle())
    return choose(Found(Function(name, 1, 3)), others)


@pytest.mark.parametrize(
    "glob",
    [
        "(*DB).Get",
        "DB.Get",
        "Get",
        "DB.*",
        "sql.DB.Get",
        "example.com/shop/store/sql.(*DB).Get",
        "store/sql/db.go",
        "db.go",
        "store/...",
        "store",
        "./store/",
        "example.com/shop/...",
        "*/sql",
    ],
)
def test_include_matches_go_method(glob: str) -> None:
    assert _chosen(Filters(include=(glob,)), "(*DB).Get") is None


@pytest.mark.parametrize(
    "glob",
    [
        "DB",
        "DB.get",
        "get",
        "sql.DB",
        "shop.store.sql.DB.get",
        "shop.*",
        "shop",
        "shop.store",
        "src",
    ],
)
def test_include_matches_python_method(glob: str) -> None:
    assert _chosen(Filters(include=(glob,)), "DB.get", "DB", location=MODULE) is None


@pytest.mark.parametrize("glob", ["Ge", "DB", "sto", "shop", "other/...", "G?"])
def test_include_does_not_match_go_method(glob: str) -> None:
    assert _chosen(Filters(include=(glob,)), "(*DB).Get") == "not in --include"


@pytest.mark.parametrize("glob", ["store", "store.sql", "shop.st", "D", "sql.get"])
def test_include_does_not_match_python_method(glob: str) -> None:
    assert _chosen(Filters(include=(glob,)), "DB.get", "DB", location=MODULE) == "not in --include"


def test_exclude_wins() -> None:
    assert _chosen(Filters(("*",), ("Get",)), "Get") == "excluded by --exclude"


def test_excluding_a_folder_excludes_its_files() -> None:
    assert get_file_skip_reason(Filters(exclude=("store",)), FILE) == "excluded by --exclude"
    assert get_file_skip_reason(Filters(exclude=("sql.go",)), FILE) is None


def test_glob_matches_functions_inside_a_matched_function() -> None:
    assert _chosen(Filters(include=("Get",)), "Get.func1", "Get") is None
    assert _chosen(Filters(include=("Get",)), "Put.func1", "Put") == "not in --include"


def test_exported_only() -> None:
    assert _chosen(Filters(exported_only=True), "Get") is None
    assert _chosen(Filters(exported_only=True), "get") == "not exported"
