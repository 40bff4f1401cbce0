"""Reports on a store while a process is added to it and a compaction removes files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from functrace.cli import verbs
from functrace.errors import FunctraceError
from functrace.rollup.comparison.read import read_sides
from functrace.rollup.from_trace import rollups_of
from functrace.rollup.labels import labels_of
from functrace.rollup.layout import StoredFile
from functrace.rollup.query import StoreQuery
from functrace.rollup.rollup import Rollup
from functrace.rollup.selection import Selection
from functrace.rollup.store import Store, contents_of
from functrace.tracefile import open_trace
from tests.rollup import service
from tests.rollup.test_query import compact_all


def rollup(folder: Path, number: int) -> Rollup:
    """Return the rollup of a process; odd ones are of release 1, the others of release 2."""
    key = f"{number:016x}"
    trace = open_trace(service.write(folder / f"{number}.ftrace", key=key, seconds=30))
    labels = labels_of(trace, service="shop", release=str(2 - number % 2))
    (found,) = rollups_of(trace, labels)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for number in range(1, 5):
        Store(str(tmp_path / "store")).write(rollup(tmp_path, number), number)
    return tmp_path / "store"


def change_before(method: str, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add two processes and compact the store before the first call of a method of StoreQuery."""
    original = getattr(StoreQuery, method)
    added: list[int] = []

    def changing(query: StoreQuery, *arguments: Any, **options: Any) -> Any:
        if not added:
            added.extend((5, 6))
            for number in added:
                Store(str(store)).write(rollup(store.parent, number), number)
            compact_all(store)
        return original(query, *arguments, **options)

    monkeypatch.setattr(StoreQuery, method, changing)


def printed(*words: str) -> Any:
    done = CliRunner().invoke(verbs.functrace, [*words, "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout)


@pytest.mark.parametrize("words", [("callers", "main.main"), ("report",), ("graph", "main.main")])
def test_figures_and_coverage_are_of_the_same_files(
    words: tuple[str, ...], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_before("coverage", store, monkeypatch)
    found = printed(*words, "--store", str(store))
    assert found["coverage"]["instances"] == 6
    assert found == printed(*words, "--store", str(store))


def test_both_sides_of_a_comparison_are_of_the_same_files(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_before("by_instance", store, monkeypatch)
    words = ["diff", "--store", str(store), "shop@1", "shop@2"]
    first, second = (CliRunner().invoke(verbs.functrace, words).output for _ in range(2))
    assert first.startswith("shop@1 → shop@2: 3 → 3 instances")
    assert first == second


def test_calls_of_an_instance_that_processes_does_not_have(store: Path) -> None:
    """A damaged store: both tables of a file are of different processes."""
    file: StoredFile
    file, contents = contents_of(rollup(store.parent, 5), 5)
    _, others = contents_of(rollup(store.parent, 6), 6)
    Store(str(store)).put(file, {**contents, "processes": others["processes"]})
    queries = [StoreQuery(str(store), Selection()) for _ in range(2)]
    with pytest.raises(FunctraceError, match="store: damaged: `chains` has calls of an instance"):
        read_sides(*queries)
