"""export --to flamegraph --against: frames by how they differ from another selection."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from functrace.cli import verbs
from functrace.errors import FunctraceError, UsageError
from functrace.export.flame_difference import compare_trees
from functrace.export.flamegraph import Tree
from tests.support import fleet_store
from tests.support.fleet import Changes, Plan


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Changes]:
    place = tmp_path_factory.mktemp("fleet") / "traces"
    return place, fleet_store.write(place, Plan(120, {"shop": 60, "payments": 20}))


def export(*arguments: str) -> Result:
    return CliRunner().invoke(verbs.functrace, ["export", "--to", "flamegraph", *arguments])


def data_of(svg: str) -> dict[str, Any]:
    text = re.search(r'<script type="application/json" id="chains">(.*?)</script>', svg)
    assert text is not None
    found = json.loads(text[1])
    assert isinstance(found, dict)
    return found


def node_of(data: dict[str, Any], name: str) -> int:
    (node,) = (at for at, each in enumerate(data["name"]) if data["names"][each] == name)
    return int(node)


def test_two_releases(planted: tuple[Path, Changes]) -> None:
    store, changes = planted
    arguments = ("--store", str(store), "--service", "shop", "--release", "1.5")
    done = export(*arguments, "--against", "shop@1.4")
    assert done.exit_code == 0, done.output
    assert "red: a larger share than before, blue: a smaller one" in done.stdout
    data = data_of(done.stdout)

    slower = node_of(data, changes.slower[-1])
    time = data["difference"]["time"]
    assert time["after"][slower] > 1.2 * time["before"][slower] > 0
    assert re.fullmatch(r"hsl\(4,80%,\d\d%\)", time["colors"][slower])
    before, after = (100 * time[side][slower] for side in ("before", "after"))
    assert f"{before:.2f}% → {after:.2f}% of the time</title>" in done.stdout

    often = node_of(data, changes.called_more[-1])
    calls = data["difference"]["calls"]
    assert calls["after"][often] > 2 * calls["before"][often] > 0
    assert calls["colors"][often] == "hsl(4,80%,60%)"

    failing = node_of(data, changes.fails_more[-1])
    errors = data["difference"]["errors"]
    assert errors["after"][failing] > errors["before"][failing] == 0
    assert (time["before"][0], time["after"][0]) == (1, 1)
    assert time["colors"][0] == "#e8ebef"


def test_the_other_way_round(planted: tuple[Path, Changes]) -> None:
    store, changes = planted
    done = export("--store", str(store), "--release", "1.4", "--against", "@1.5")
    data = data_of(done.stdout)
    assert {"shop", "payments"} <= set(data["names"])
    often = node_of(data, changes.called_more[-1])
    assert data["difference"]["calls"]["colors"][often].startswith("hsl(212,")


def test_the_same_selection_differs_nowhere(planted: tuple[Path, Changes]) -> None:
    done = export("--store", str(planted[0]), "--against", "*")
    colors = data_of(done.stdout)["difference"]["time"]["colors"]
    assert set(colors) == {"#e8ebef"}


def test_smallest_chains_are_left_out(
    planted: tuple[Path, Changes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functrace.export.flamegraph._MAX_CHAINS", 9)
    data = data_of(export("--store", str(planted[0]), "--against", "@1.4").stdout)
    time = data["difference"]["time"]
    assert [len(time[key]) for key in ("before", "after", "colors")] == [9, 9, 9]
    assert time["after"][0] == 1


def test_selections_without_instances(planted: tuple[Path, Changes]) -> None:
    done = export("--store", str(planted[0]), "--against", "shop@9")
    assert isinstance(done.exception, FunctraceError)
    assert "no instance matches shop@9" in str(done.exception)


def test_wrong_usage(planted: tuple[Path, Changes]) -> None:
    done = export("x.ftrace", "--against", "shop@1.4")
    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == "--against requires --store"
    done = export("--store", str(planted[0]), "--against", "shop@1.4", "--to", "folded")
    assert isinstance(done.exception, UsageError)


def test_times_beyond_the_largest_integer() -> None:
    def tree(second: int) -> Tree:
        column = np.array([0, 6 * 10**18, second], np.int64)
        zeros = np.zeros(3, np.int64)
        return Tree(
            names=["all", "a.f", "a.g"],
            texts=[],
            parent=np.array([-1, 0, 0]),
            name=np.arange(3),
            calls=np.array([0, 1, 1]),
            total=column,
            self=column,
            suspended=zeros,
            failed=zeros,
            text=zeros - 1,
            started=zeros,
        )

    shares = compare_trees(tree(6 * 10**18), tree(2 * 10**18))["time"]
    assert shares.after.round(6).tolist() == [1, 0.5, 0.5]
    assert shares.before.round(6).tolist() == [1, 0.75, 0.25]
