"""functrace diff --store, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from functrace.cli import verbs
from functrace.cli.compared_selections import parse_compared
from functrace.errors import FunctraceError, UsageError
from functrace.rollup.selection import Selection
from tests.rollup import service
from tests.support import fleet_store
from tests.support.fleet import Changes, Plan

SERVE = "main.main → http.(*conn).serve → shop.(*Server).ServeHTTP"
HOUR_NS = 3_600_000_000_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Changes]:
    place = tmp_path_factory.mktemp("fleet") / "traces"
    return place, fleet_store.write(place, Plan(200))


@pytest.fixture(scope="module")
def store(written: tuple[Path, Changes]) -> Path:
    return written[0]


@pytest.fixture(scope="module")
def planted(written: tuple[Path, Changes]) -> Changes:
    return written[1]


def diff(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(verbs.functrace, ["diff", "--store", str(store), *arguments])


def test_two_releases(store: Path, planted: Changes) -> None:
    done = diff(store, "shop@1.4", "shop@1.5", "--exit-code")
    assert done.exit_code == 1, done.output
    lines = done.output.splitlines()
    assert lines[0] == "shop@1.4 → shop@1.5: 33 → 33 instances"
    assert [line for line in lines if not line.startswith(" ")][1:4] == [
        "slower",
        "fails more",
        "called more",
    ]
    for kind, steps in vars(planted).items():
        at = lines.index(kind.replace("_", " "))
        assert lines[at + 1] == "  " + " → ".join(steps)
    assert lines[lines.index("called more") + 2].startswith("      1 → 3 per call of db.F10, ")
    assert lines[-2] == "shop@1.4: 33 of 33 instances, 33.0 min recorded"


def test_nothing_changed(store: Path) -> None:
    done = diff(store, "payments@1.4", "payments@1.5", "--exit-code")
    assert done.exit_code == 0
    assert done.output.splitlines()[:2] == [
        "payments@1.4 → payments@1.5: 33 → 33 instances",
        "no change beyond chance",
    ]


def test_json(store: Path, planted: Changes) -> None:
    done = diff(store, "shop@1.4", "shop@1.5", "--json")
    assert done.exit_code == 0
    found = json.loads(done.output)
    (failing,) = found["fails_more"]
    assert [step["function"] for step in failing["steps"]] == list(planted.fails_more)
    assert failing["before"]["failed"] == 0 < failing["after"]["failed"]
    assert failing["text"] == f"{planted.fails_more[-1]}: item # is locked"
    assert not failing["by_chance"]
    assert failing["p_value"] < 1e-4
    assert [each["function"] for each in failing["affected"]] == [planted.fails_more[-2]]
    assert (found["unit"], found["is_enough"], found["slowdown_by_chance"]) == (
        "instance",
        True,
        True,
    )
    assert found["coverage"]["after"] == {
        "instances": 33,
        "expected_instances": 33,
        "unreadable_files": 0,
        "window_count": 33,
        "covered_s": 1980.0,
        "demoted_functions": [],
        "losses": [],
        "functions_at_limit": [],
    }
    kinds = ("appeared", "vanished", "faster", "fails_less", "called_less")
    assert [found[kind] for kind in kinds] == [[]] * 5


def test_canary(store: Path, planted: Changes) -> None:
    """Instances of a release, against those of the one before."""
    done = diff(store, "shop@1.4", "shop@1.5[instance=shop-1*,host=shop-*]", "--json")
    found = json.loads(done.output)
    assert found["coverage"]["after"]["instances"] == 6  # shop-1, 11, 13, 15, 17, 19
    assert [each["function"] for each in found["slower"]] == [planted.slower[-1]]


def test_too_few_instances(store: Path) -> None:
    arguments = ("shop[instance=shop-0]", "shop[instance=shop-1]")
    done = diff(store, *arguments, "--exit-code")
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0] == f"{arguments[0]} → {arguments[1]}: 1 → 1 instance, compared by window"
    assert lines[1] == (
        "too little to tell changes from noise: each side needs 5 instances, or both the same"
        " instances in 5 windows"
    )
    shown = [line for line in lines if line.startswith("  main.main")]
    assert shown
    assert all(line.endswith("(may be chance)") for line in shown)
    same = ("shop[instance=shop-0]", "shop[instance=shop-0]")
    assert diff(store, *same, "--exit-code").exit_code == 0


@pytest.mark.parametrize(
    ("selections", "selected"),
    [
        (("shop@1.4", "shop@1.5"), "60 chains in 66 instances"),
        (("shop[instance=shop-0]", "shop[instance=shop-1]"), "56 chains in 2 windows"),
    ],
)
def test_more_than_fits_in_memory(
    store: Path, monkeypatch: pytest.MonkeyPatch, selections: tuple[str, str], selected: str
) -> None:
    monkeypatch.setattr("functrace.rollup.comparison.read._MAX_CELLS", 100)
    done = diff(store, *selections)
    assert str(done.exception) == (
        f"{store}: too much to compare: {selected}; select less, such as with --since or"
        " shop[instance=web1*]"
    )


def test_from_traces_to_a_change(tmp_path: Path) -> None:
    """The calls of store.Get take the longer the longer its process runs."""
    for number in range(12):
        release, seconds = (("1.4", 60), ("1.5", 120))[number % 2]
        service.write(
            tmp_path / f"{number}.ftrace",
            seconds=seconds + number,
            key=f"{number + 1:016x}",
            service="shop",
            options={"FUNCTRACE_RELEASE": release},
        )
    store = tmp_path / "traces"
    done = CliRunner().invoke(verbs.functrace, ["rollup", str(tmp_path), "-o", str(store)])
    assert done.exit_code == 0, done.output
    done = diff(store, "shop@1.4", "shop@1.5", "--exit-code")
    assert done.exit_code == 1
    assert done.output.splitlines()[:3] == [
        "shop@1.4 → shop@1.5: 6 → 6 instances",
        "slower",
        "  main.main → store.Get",
    ]
    same = ("shop[instance=*1]", "shop[instance=*1]")
    assert "no change beyond chance" in diff(store, *same).output


def test_a_file_that_is_damaged(tmp_path: Path) -> None:
    fleet_store.write(tmp_path, Plan(40, {"shop": 20, "payments": 20}))
    damaged = next((tmp_path / "chains" / "service=payments").rglob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    done = diff(tmp_path, "@1.4", "@1.5")
    assert done.exit_code == 1
    assert f"functrace: {damaged}: " in done.output
    assert "@1.4: 10 of 20 instances" in done.output


def test_nothing_is_selected(store: Path) -> None:
    done = diff(store, "shop@1.4", "shop@1.6")
    assert isinstance(done.exception, FunctraceError)
    assert str(done.exception) == f"{store}: no instance matches shop@1.6"


def test_times_require_a_store() -> None:
    done = CliRunner().invoke(verbs.functrace, ["diff", "a", "b", "--since", "1h"])
    assert isinstance(done.exception, UsageError)


def test_selections() -> None:
    now = 100 * HOUR_NS
    assert parse_compared("shop@1.*", now, None, None) == Selection(("shop",), ("1.*",))
    assert parse_compared("@1.4[host=web*, until=1h]", now, "2h", "0") == Selection(
        releases=("1.4",),
        labels=(("host", "web*"),),
        since_ns=98 * HOUR_NS,
        until_ns=99 * HOUR_NS,
    )
    assert parse_compared("[instance=a]", now, None, None) == Selection(labels=(("instance", "a"),))


@pytest.mark.parametrize(
    "text",
    ["", "shop[", "shop[a=b]", "shop[since=x]", "shop]x[", "shop[instance]", "shop[]x", "[]"],
)
def test_texts_that_are_no_selections(text: str) -> None:
    with pytest.raises(UsageError):
        parse_compared(text, 0, None, None)
