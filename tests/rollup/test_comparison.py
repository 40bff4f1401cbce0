"""functrace diff --store: which changes are reported, and at which chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from functrace.rollup.comparison.compare import Change, StoreComparison, compare
from functrace.rollup.comparison.read import Read, read_sides
from functrace.rollup.comparison.sides import chain_tree
from functrace.rollup.query import StoreQuery
from functrace.rollup.selection import Selection, parse_selection
from tests.support import fleet_store
from tests.support.fleet import Fleet, Function, Plan

SHOP = {"shop": 60}
MINUTE = 60_000_000_000


def compared(place: Path, before: Selection | str, after: Selection | str) -> StoreComparison:
    found = read(place, before, after)
    return compare(found.tree, found.before, found.after, is_enough=found.is_enough)


def read(place: Path, before: Selection | str, after: Selection | str) -> Read:
    sides = (parse_selection(s) if isinstance(s, str) else s for s in (before, after))
    queries = [StoreQuery(str(place), side) for side in sides]
    try:
        return read_sides(*queries)
    finally:
        for query in queries:
            query.close()


def changes(found: StoreComparison) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((each.kind, each.steps) for each in found.changes if not each.by_chance)


def test_planted_changes_and_nothing_else(tmp_path: Path) -> None:
    planted = fleet_store.write(tmp_path, Plan(200))
    expected = [
        ("called_more", planted.called_more),
        ("fails_more", planted.fails_more),
        ("slower", planted.slower),
    ]
    assert changes(compared(tmp_path, "shop@1.4", "shop@1.5")) == expected
    assert changes(compared(tmp_path, "@1.4", "@1.5")) == expected
    back = compared(tmp_path, "shop@1.5", "shop@1.4")
    assert {kind for kind, _ in changes(back)} == {"called_less", "fails_less", "faster"}
    assert changes(compared(tmp_path, "payments@1.4", "payments@1.5")) == []
    assert changes(compared(tmp_path, "shop@1.4", "shop@1.4")) == []


@pytest.mark.parametrize(
    "plan",
    [
        Plan(60, SHOP, seed=3),
        Plan(10, {"shop": 150}, seed=4),
        Plan(60, SHOP, seed=5, canary=0.05),
        Plan(4, SHOP, seed=6, windows=10),
    ],
    ids=["thirty", "five", "canary", "two"],
)
def test_noise_of_machines_is_no_change(tmp_path: Path, plan: Plan) -> None:
    fleet_store.write(tmp_path, plan, changed=False)
    found = compared(tmp_path, "shop@1.4", "shop@1.5")
    assert changes(found) == []
    assert found.slowdown_by_chance


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_changes_of_many_fleets(tmp_path: Path, seed: int) -> None:
    fleet_store.write(tmp_path / "same", Plan(100, {"shop": 300}, seed=seed), changed=False)
    assert changes(compared(tmp_path / "same", "shop@1.4", "shop@1.5")) == []
    planted = fleet_store.write(tmp_path / "changed", Plan(200, {"shop": 300}, seed=seed))
    assert changes(compared(tmp_path / "changed", "shop@1.4", "shop@1.5")) == [
        ("called_more", planted.called_more),
        ("fails_more", planted.fails_more),
        ("slower", planted.slower),
    ]


BASE = [
    Function(-1, "main.main", self_ns=1e6),
    Function(0, "http.serve", started=True, calls=50),
    Function(1, "shop.ServeHTTP", calls=20, self_ns=5_000),
    Function(2, "shop.handle", self_ns=20_000),
    Function(3, "cart.Total", self_ns=20_000),
    Function(4, "price.Lookup", self_ns=20_000),
    Function(3, "cart.Save", self_ns=20_000),
    Function(6, "store.Put", self_ns=20_000),
    Function(3, "audit.Write", self_ns=20_000, calls=0),
    Function(8, "audit.format", self_ns=20_000),
]
NAMES = {function.name: at for at, function in enumerate(BASE)}


def shops(
    place: Path,
    changed: dict[str, dict[str, Any]],
    count: int = 40,
    base: list[Function] = BASE,
) -> Path:
    """Write a store in which the second release has other functions."""
    random = np.random.default_rng(7)
    releases = base, with_values(base, changed)
    fleet_store.write_fleet(place, Fleet(Plan(count), random, "shop", releases, count))
    return place


def with_values(functions: list[Function], changed: dict[str, dict[str, Any]]) -> list[Function]:
    found = list(functions)
    for name, values in changed.items():
        found[NAMES[name]] = replace(found[NAMES[name]], **values)
    return found


def only(found: StoreComparison) -> Change:
    (change,) = [each for each in found.changes if not each.by_chance]
    return change


def ends(change: Change) -> set[str]:
    return {steps[-1] for steps in change.affected}


def test_a_caller_is_slower_because_its_callee_is(tmp_path: Path) -> None:
    shops(tmp_path, {"price.Lookup": {"self_ns": 60_000}})
    change = only(compared(tmp_path, "@1.4", "@1.5"))
    assert (change.kind, change.steps[-1]) == ("slower", "price.Lookup")
    assert ends(change) == {"http.serve", "shop.ServeHTTP", "shop.handle", "cart.Total"}
    assert change.after.p50 > 2.5 * change.before.p50


def test_both_a_caller_and_its_callee_became_slower(tmp_path: Path) -> None:
    shops(tmp_path, {"price.Lookup": {"self_ns": 60_000}, "cart.Total": {"self_ns": 60_000}})
    found = compared(tmp_path, "@1.4", "@1.5")
    assert {steps[-1] for _, steps in changes(found)} == {"price.Lookup", "cart.Total"}


def test_a_function_that_no_instance_calls_often_makes_its_caller_slower(tmp_path: Path) -> None:
    """Its calls per call of the caller are compared only where the caller has twenty calls."""
    base = with_values(BASE, {"cart.Save": {"calls": 0.01}})
    shops(tmp_path, {"store.Put": {"calls": 4}}, base=base)
    change = only(compared(tmp_path, "@1.4", "@1.5"))
    assert (change.kind, change.steps[-1]) == ("called_more", "store.Put")
    assert ends(change) == {"cart.Save"}


def test_a_caller_is_slower_because_it_calls_another_function_more_often(tmp_path: Path) -> None:
    shops(tmp_path, {"store.Put": {"calls": 4}})
    change = only(compared(tmp_path, "@1.4", "@1.5"))
    assert (change.kind, change.steps[-1]) == ("called_more", "store.Put")
    assert change.after.calls / change.after.caller_calls == 4
    assert ends(change) == {"http.serve", "shop.ServeHTTP", "shop.handle", "cart.Save"}


def test_a_callee_is_called_more_often_because_its_caller_is(tmp_path: Path) -> None:
    shops(tmp_path, {"cart.Save": {"calls": 2}})
    change = only(compared(tmp_path, "@1.4", "@1.5"))
    assert (change.kind, change.steps[-1]) == ("called_more", "cart.Save")


def test_a_caller_fails_because_its_callee_does(tmp_path: Path) -> None:
    shops(tmp_path, {"price.Lookup": {"failing": 0.05}})
    change = only(compared(tmp_path, "@1.4", "@1.5"))
    assert (change.kind, change.steps[-1]) == ("fails_more", "price.Lookup")
    assert change.text == "price.Lookup: item # is locked"
    assert ends(change) == {"cart.Total", "shop.handle"}


def test_what_is_no_longer_called_after_a_failure(tmp_path: Path) -> None:
    failing = {"price.Lookup": {"failing": 0.4}, "cart.Save": {"calls": 0.6}}
    shops(tmp_path, {**failing, "audit.Write": {"calls": 0.4}})
    change = only(compared(tmp_path, "@1.4", "@1.5"))
    assert (change.kind, change.steps[-1]) == ("fails_more", "price.Lookup")
    assert {"cart.Save", "audit.Write"} <= ends(change)


def test_a_chain_that_appeared_is_reported_at_its_first_new_step(tmp_path: Path) -> None:
    shops(tmp_path, {"audit.Write": {"calls": 1}, "price.Lookup": {"calls": 0}})
    found = compared(tmp_path, "@1.4", "@1.5")
    assert [(kind, steps[-1]) for kind, steps in changes(found)] == [
        ("appeared", "audit.Write"),
        ("vanished", "price.Lookup"),
    ]
    (appeared,) = [each for each in found.changes if each.kind == "appeared"]
    assert appeared.chains_below == 1


def test_slow_machines_are_one_line(tmp_path: Path) -> None:
    many = [Function(3, f"step.F{number}", self_ns=10_000 * number + 1000) for number in range(15)]
    before = BASE + many
    after = [replace(each, self_ns=each.self_ns * 1.5) for each in before]
    fleet = Fleet(Plan(60), np.random.default_rng(7), "shop", (before, after), 60)
    fleet_store.write_fleet(tmp_path, fleet)
    found = compared(tmp_path, "@1.4", "@1.5")
    assert changes(found) == []
    assert found.slowdown == pytest.approx(1.5, rel=0.1)
    assert not found.slowdown_by_chance


def test_few_instances_are_too_little(tmp_path: Path) -> None:
    shops(tmp_path, {"price.Lookup": {"self_ns": 60_000}}, count=8)
    assert not read(tmp_path, "@1.4", "@1.5").is_enough
    (change,) = [c for c in compared(tmp_path, "@1.4", "@1.5").changes if c.kind == "slower"][:1]
    assert change.by_chance


def test_windows_of_the_same_instances(tmp_path: Path) -> None:
    """A change in time is told by windows, where machines are the same on both sides."""
    fleet_store.write(tmp_path, Plan(4, SHOP, windows=20))
    middle = fleet_store.START_NS + 10 * MINUTE
    sides = Selection(until_ns=middle), Selection(since_ns=middle)
    assert (found := read(tmp_path, *sides)).is_enough
    assert (found.unit, found.instances) == ("window", (4, 4))
    assert found.before.units.unit_count == found.after.units.unit_count == 40
    assert changes(compared(tmp_path, *sides)) == []


def test_windows_of_an_instance_are_one_observation(tmp_path: Path) -> None:
    planted = fleet_store.write(tmp_path, Plan(60, SHOP, windows=3))
    assert read(tmp_path, "@1.4", "@1.5").before.units.unit_count == 30
    assert changes(compared(tmp_path, "@1.4", "@1.5")) == [
        ("called_more", planted.called_more),
        ("fails_more", planted.fails_more),
        ("slower", planted.slower),
    ]


def test_a_service_with_another_name(tmp_path: Path) -> None:
    for service, self_ns in (("shop", 20_000), ("shop2", 60_000)):
        functions = [*BASE[:5], replace(BASE[5], self_ns=self_ns)]
        fleet = Fleet(Plan(20), np.random.default_rng(7), service, (functions, functions), 20)
        fleet_store.write_fleet(tmp_path, fleet)
    change = only(compared(tmp_path, "shop", "shop2"))
    assert (change.kind, change.steps[-1]) == ("slower", "price.Lookup")


def test_chains_in_a_cycle() -> None:
    """A damaged store may have them."""
    table = pa.table(
        {
            "service": ["s", "s", "s"],
            "chain": [b"a", b"b", b"c"],
            "parent": [b"b", b"a", b"x"],
            "function": ["A", "B", "C"],
            "started": [False, False, False],
        }
    )
    tree = chain_tree([table], joins_services=True)
    assert sorted(tree.steps(chain) for chain in range(3)) == [("B",), ("B", "A"), ("C",)]
