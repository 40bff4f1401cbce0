from __future__ import annotations

import pytest

from functrace.text.similar_names import measure_distance, suggest

FUNCTIONS = {
    "main.get": "main.get",
    "main.main": "main.main",
    "main.Settle": "main.Settle",
    "example.com/shop/store.Get": "store.Get",
    "example.com/shop/store.(*Store).Delete": "store.(*Store).Delete",
    "example.com/shop/store.(*Cache).Delete": "store.(*Cache).Delete",
    "shop.outer.<locals>.inner": "outer.inner",
}


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("Get", "Get", 0),
        ("Gett", "Get", 1),
        ("Gte", "Get", 1),
        ("Bet", "Get", 1),
        ("get", "Get", 0.5),
        ("Gett", "get", 1.5),
        ("", "Get", 3),
        ("kitten", "sitting", 3),
    ],
)
def test_distance(first: str, second: str, distance: float) -> None:
    assert measure_distance(first, second) == distance
    assert measure_distance(second, first) == distance


@pytest.mark.parametrize(
    ("glob", "similar"),
    [
        ("Gett", ["store.Get"]),
        ("gett", ["main.get"]),
        ("GET", ["store.Get"]),
        ("stor.Get", ["store.Get"]),
        ("main.Gett", ["main.get"]),
        ("Delte", ["store.(*Cache).Delete", "store.(*Store).Delete"]),
        ("(*Stor).Delete", ["store.(*Store).Delete"]),
        ("shop/store.Gte", ["store.Get"]),
        ("outer.<locals>.iner", ["outer.inner"]),
        ("Delte*", ["store.(*Cache).Delete", "store.(*Store).Delete"]),
        ("settl", ["main.Settle"]),
        ("store", ["store.(*Cache).Delete", "store.(*Store).Delete", "store.Get"]),
        ("xyz", []),
        ("*", []),
    ],
)
def test_suggestions(glob: str, similar: list[str]) -> None:
    assert suggest(glob, FUNCTIONS) == similar
