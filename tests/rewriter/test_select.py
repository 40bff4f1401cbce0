from __future__ import annotations

import pytest

from rewriter.plan import Function
from rewriter.select import Place, Selection, chooser, file_reason

PLACE = Place("store/sql/db.go", "example.com/shop/store/sql")


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
def test_what_names_a_function(glob: str) -> None:
    choose = chooser(Selection(include=(glob,)), PLACE, str.istitle)
    assert choose(Function("(*DB).Get", 1, 3), "") is None


@pytest.mark.parametrize("glob", ["Ge", "DB", "sto", "shop", "other/...", "G?"])
def test_what_does_not(glob: str) -> None:
    choose = chooser(Selection(include=(glob,)), PLACE, str.istitle)
    assert choose(Function("(*DB).Get", 1, 3), "") == "not in --include"


def test_exclude_wins() -> None:
    choose = chooser(Selection(include=("*",), exclude=("Get",)), PLACE, str.istitle)
    assert choose(Function("Get", 1, 3), "") == "excluded by --exclude"


def test_a_whole_file_is_excluded_by_any_folder_above_it() -> None:
    assert file_reason(Selection(exclude=("store",)), PLACE) == "excluded by --exclude"
    assert file_reason(Selection(exclude=("sql.go",)), PLACE) is None


def test_a_glob_names_what_is_inside_what_it_names() -> None:
    choose = chooser(Selection(include=("Get",)), PLACE, str.istitle)
    assert choose(Function("Get.func1", 2, 1), "Get") is None
    assert choose(Function("Put.func1", 9, 1), "Put") == "not in --include"
