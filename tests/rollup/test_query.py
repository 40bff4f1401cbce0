"""Queries of a store: the same figures as merging all rows, by labels and time, damage included."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functrace.errors import FunctraceError
from functrace.rollup import parquet
from functrace.rollup.compaction import compact
from functrace.rollup.figures import MAX_SUM, SUMS, merged
from functrace.rollup.from_trace import rollups_of
from functrace.rollup.labels import labels_of
from functrace.rollup.query import StoreQuery
from functrace.rollup.rollup import Rollup
from functrace.rollup.selection import Selection, parse_labels, parse_selection
from functrace.rollup.store import Store
from functrace.text import store_note
from functrace.tracefile import open_trace
from tests.rollup import service
from tests.watch.test_bundle_store import s3  # noqa: F401  a fixture

NOW = datetime(2023, 11, 15, tzinfo=timezone.utc)
HOUR_NS = 3_600_000_000_000
# The third one has its rows an hour later than the others, and is of another service.
PROCESSES = [("shop", "1.4", 70, 0), ("shop", "1.5", 100, 0), ("cart", "1.5", 30, HOUR_NS)]


def rollups(folder: Path) -> list[Rollup]:
    found = []
    for number, (name, release, seconds, later_ns) in enumerate(PROCESSES, 1):
        path = folder / f"{number}.ftrace"
        key = f"{number:016x}"
        started = service.STARTED + later_ns
        trace = open_trace(service.write(path, key=key, seconds=seconds, started=started))
        labels = labels_of(trace, service=name, release=release)
        found += rollups_of(trace, labels)
    return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Rollup]]:
    folder = tmp_path_factory.mktemp("stored")
    found = rollups(folder)
    fill(folder / "store", found)
    return folder / "store", found


@pytest.fixture
def place(stored: tuple[Path, list[Rollup]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored[0], tmp_path / "a [store]* of ours?"))


def fill(place: Path | str, found: list[Rollup]) -> Store:
    store = Store(str(place))
    for number, rollup in enumerate(found):
        store.write(rollup, number)
    return store


def compact_all(place: Path | str) -> None:
    store = Store(str(place))
    for partition in store.partitions():
        compact(store, partition, now=NOW)


def rows(place: Path | str) -> list[dict[str, Any]]:
    query = StoreQuery(str(place), Selection())
    assert not query.errors
    found = query.chains().to_pylist()
    return sorted(found, key=lambda row: (row["service"], row["chain"]))


def expected(found: list[Rollup]) -> list[dict[str, Any]]:
    """Return the rows that merging the figures of rollups gives."""
    keys = sorted({(each.labels.service, chain) for each in found for chain in each.chains})
    made = []
    for name, chain in keys:
        own = [each for each in found if each.labels.service == name]
        parts = [
            (each.labels.instance, row)
            for each in own
            for (_, id_), row in each.figures.items()
            if id_ == chain
        ]
        figures = merged(row for _, row in parts)
        definition = next(each.chains[chain] for each in own if chain in each.chains)
        ranked = sorted(figures.errors.counts.items(), key=lambda item: (-item[1], item[0]))
        made.append(
            {
                "service": name,
                "chain": chain,
                "function": definition.function,
                "started": definition.started,
                **{each: getattr(figures, each) for each in SUMS},
                "min_ns": figures.min_ns,
                "max_ns": figures.max_ns,
                "bucket": [bucket for bucket, _ in figures.buckets],
                "bucket_calls": [calls for _, calls in figures.buckets],
                "errors": [
                    {"text": error.text, "panicked": error.panicked, "calls": calls}
                    for error, calls in ranked
                ],
                "errors_undercount": figures.errors.undercount,
                "example_trace": figures.example.trace if figures.example else None,
            }
        )
    return made


def of_same_columns(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    return [{name: row[name] for name in wanted[0]} for row in found] == wanted


def test_rows_are_the_merged_figures(stored: tuple[Path, list[Rollup]], place: Path) -> None:
    wanted = expected(stored[1])
    assert of_same_columns(rows(place), wanted)
    compact_all(place)
    assert of_same_columns(rows(place), wanted)


@pytest.mark.parametrize(
    ("selection", "instances"),
    [
        (parse_selection("shop"), [1, 2]),
        (parse_selection("*@1.5"), [2, 3]),
        (parse_selection("shop@1.4"), [1]),
        (Selection(instances=("*2", "*3")), [2, 3]),
        (Selection(labels=parse_labels(["host=web?", "release=1.4"])), [1]),
        (Selection(labels=parse_labels(["host=w"])), []),
        (Selection(labels=parse_labels(["instance=it's"])), []),
        (Selection(until_ns=service.STARTED + HOUR_NS // 2), [1, 2]),
        (Selection(since_ns=service.STARTED + HOUR_NS // 2), [3]),
        # The third window begins 100 s after the start of the traces; the first process has ended.
        (Selection(since_ns=service.STARTED + 101_000_000_000, services=("shop",)), [2]),
    ],
)
def test_selections(place: Path, selection: Selection, instances: list[int]) -> None:
    query = StoreQuery(str(place), selection)
    found = query.by_instance().to_pylist()
    assert sorted({int(row["instance"], 16) for row in found}) == instances
    assert query.coverage().instances == len(instances)


def test_chains_of_functions_and_definitions_of_all(place: Path) -> None:
    query = StoreQuery(str(place), parse_selection("shop"))
    found = query.chains(["store.Get"]).to_pylist()
    assert [row["function"] for row in found] == ["store.Get", "store.Get"]
    definitions = {row["chain"]: row for row in query.definitions().to_pylist()}
    assert {definitions[row["parent"]]["function"] for row in found} == {"main.main"}
    assert query.chains([]).to_pylist() == []


def test_figures_by_instance(place: Path) -> None:
    query = StoreQuery(str(place), parse_selection("shop"))
    (chain,) = {row["chain"] for row in query.chains().to_pylist() if row["failed"]}
    found = query.by_instance([chain]).to_pylist()
    assert sorted((row["release"], row["calls"], sum(row["bucket_calls"])) for row in found) == [
        ("1.4", 70, 70),
        ("1.5", 100, 100),
    ]


def test_coverage(place: Path) -> None:
    found = StoreQuery(str(place), Selection()).coverage()
    assert (found.instances, found.expected, found.windows) == (3, 3, 6)
    assert found.seconds == pytest.approx(200)


def test_functions_whose_sums_stop(stored: tuple[Path, list[Rollup]], tmp_path: Path) -> None:
    """Two processes together wait longer than the largest int64."""
    long = [
        replace(
            each,
            figures={
                key: replace(row, total_ns=MAX_SUM // 2 + 1)
                if each.chains[key[1]].function == "main.main"
                else row
                for key, row in each.figures.items()
            },
        )
        for each in stored[1]
    ]
    fill(tmp_path / "one", long[:1])
    fill(tmp_path / "two", long[:2])
    for name, at_limit in (("one", ()), ("two", ("main.main",))):
        query = StoreQuery(str(tmp_path / name), Selection())
        main = [row for row in query.chains().to_pylist() if row["function"] == "main.main"]
        assert (main[0]["total_ns"] == MAX_SUM) == bool(at_limit)
        coverage = query.coverage()
        assert coverage.at_limit == at_limit
        sentence = (
            "figures of main.main may be too low: sums stop at the largest int64, in nanoseconds"
            " 292 years"
        )
        assert (sentence in store_note.sentences(coverage)) == bool(at_limit)


def test_a_recording_that_was_added_again_counts_once(
    stored: tuple[Path, list[Rollup]], place: Path
) -> None:
    wanted = expected(stored[1])
    store = Store(str(place))
    store.write(stored[1][0], 100)
    assert of_same_columns(rows(place), wanted)
    compact_all(place)
    store.write(stored[1][0], 200)
    assert of_same_columns(rows(place), wanted)
    store.write(stored[1][1], 200)
    assert of_same_columns(rows(place), wanted)


def test_a_compaction_that_was_killed_before_it_removed_files(
    stored: tuple[Path, list[Rollup]], place: Path
) -> None:
    compact_all(place)
    shutil.copytree(stored[0], place, dirs_exist_ok=True)
    assert len(list(place.rglob("*.parquet"))) > len(list(stored[0].rglob("*.parquet")))
    assert of_same_columns(rows(place), expected(stored[1]))


def damaged(place: Path, table: str, name: str = "shop") -> Path:
    """Return the file of the first process."""
    return sorted((place / table / f"service={name}").rglob("*.parquet"))[0]


@pytest.mark.parametrize("table", ["chains", "processes"])
def test_damaged_files_are_named_and_the_rest_is_read(place: Path, table: str) -> None:
    file = damaged(place, table)
    file.write_bytes(file.read_bytes()[:-9])
    query = StoreQuery(str(place), parse_selection("shop"))
    assert [row["calls"] for row in query.chains(["main.main"]).to_pylist()] == [1]
    (error,) = query.errors
    assert error.startswith(f"{file}: not a rollup: ")
    coverage = query.coverage()
    assert (coverage.instances, coverage.expected) == (1, 2)


def test_damage_within_a_file_is_found_when_it_is_read(place: Path) -> None:
    file = damaged(place, "chains")
    content = bytearray(file.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    file.write_bytes(content)
    query = StoreQuery(str(place), parse_selection("shop"))
    assert [row["calls"] for row in query.chains(["main.main"]).to_pylist()] == [1]
    assert [error.partition(": ")[0] for error in query.errors] == [str(file)]
    coverage = query.coverage()
    assert (coverage.instances, coverage.expected) == (1, 2)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def empty_pages(file: Path) -> None:
    """Damage the pages of a file, whose footer remains."""
    size = pq.read_metadata(file).serialized_size + 8
    content = file.read_bytes()
    file.write_bytes(content[:4] + bytes(len(content) - 4 - size) + content[-size:])


def coverage(place: Path) -> tuple[int, int, int]:
    query = StoreQuery(str(place), parse_selection("shop"))
    query.chains()
    found = query.coverage()
    return found.instances, found.expected, found.unreadable


@pytest.mark.parametrize("damage", [cut, empty_pages])
def test_instances_of_a_damaged_compacted_file(
    stored: tuple[Path, list[Rollup]], place: Path, damage: Callable[[Path], None]
) -> None:
    compact_all(place)
    damage(damaged(place, "processes"))
    assert coverage(place) == (0, 2, 0)
    Store(str(place)).write(replace(stored[1][0], recording="f" * 16), 100)
    assert coverage(place) == (1, 2, 0)
    damage(damaged(place, "chains"))
    assert coverage(place) == (1, 1, 1)


def test_an_instance_with_a_damaged_file_counts_once(
    stored: tuple[Path, list[Rollup]], place: Path
) -> None:
    Store(str(place)).write(replace(stored[1][0], recording="f" * 16), 100)
    processes, chains = (
        next((place / table).rglob(f"{stored[1][0].recording}-*"))
        for table in ("processes", "chains")
    )
    cut(processes)
    assert coverage(place) == (2, 2, 0)
    cut(chains)
    assert coverage(place) == (2, 2, 1)


@pytest.mark.parametrize(
    ("bucket", "bucket_calls"),
    [([1, 2], [5]), ([], [5]), ([1], [5, 6]), ([-5], [1]), ([1 << 20], [1]), ([1], [-1])],
)
def test_a_file_with_an_impossible_histogram_is_named(
    place: Path, bucket: list[int], bucket_calls: list[int]
) -> None:
    file = damaged(place, "chains")
    rows = pq.read_table(file, partitioning=None).to_pylist()
    rows[-1] |= {"bucket": bucket, "bucket_calls": bucket_calls}
    pq.write_table(pa.Table.from_pylist(rows, parquet.CHAINS), file)
    for read in (StoreQuery.chains, StoreQuery.by_instance):
        query = StoreQuery(str(place), parse_selection("shop"))
        assert sum(row["calls"] for row in read(query).to_pylist()) == 72
        (error,) = query.errors
        assert error.startswith(f"{file}: not a rollup: ")
        assert "a histogram has a bucket that does not exist" in error


def test_a_small_file_that_would_exhaust_memory_is_named(place: Path) -> None:
    file = damaged(place, "chains")
    rows = pq.read_table(file, partitioning=None).to_pylist()
    rows[-1]["function"] = "x" * 150_000_000
    pq.write_table(pa.Table.from_pylist(rows, parquet.CHAINS), file, compression="zstd")
    query = StoreQuery(str(place), parse_selection("shop"))
    assert query.errors == [f"{file}: not a rollup: its contents are too large"]


def test_a_file_that_is_too_much_for_a_query_is_named(place: Path) -> None:
    file = damaged(place, "chains")
    rows = pq.read_table(file, partitioning=None).to_pylist()
    rows[-1]["function"] = "x" * 60_000_000
    pq.write_table(pa.Table.from_pylist(rows, parquet.CHAINS), file, compression="zstd")
    query = StoreQuery(str(place), parse_selection("shop"), memory="50MB")
    with pytest.raises(FunctraceError, match="too much for the memory of a query") as caught:
        query.chains()
    assert str(caught.value).startswith(f"{file}: ")


def test_rollups_whose_chains_are_not_written_yet(place: Path) -> None:
    damaged(place, "chains").unlink()
    damaged(place, "chains", "cart").unlink()
    query = StoreQuery(str(place), Selection())
    coverage = query.coverage()
    assert (coverage.instances, coverage.expected, query.errors) == (1, 3, [])


def test_a_file_that_a_compaction_removes_meanwhile(
    stored: tuple[Path, list[Rollup]], place: Path
) -> None:
    query = StoreQuery(str(place), Selection())
    compact_all(place)
    found = sorted(query.chains().to_pylist(), key=lambda row: (row["service"], row["chain"]))
    assert of_same_columns(found, expected(stored[1]))
    assert query.errors == []


def test_a_process_and_a_compaction_between_two_queries(
    stored: tuple[Path, list[Rollup]], place: Path
) -> None:
    query = StoreQuery(str(place), parse_selection("shop"))
    found: list[list[set[str]]] = []

    def read() -> list[set[str]]:
        tables = [query.instances()]
        if not found:
            labels = replace(stored[1][-1].labels, service="shop")
            Store(str(place)).write(replace(stored[1][-1], labels=labels), 100)
            compact_all(place)
        found.append([])
        tables.append(query.by_instance())
        return [set(table["instance"].to_pylist()) for table in tables]

    instances, with_calls = query.consistently(read)
    assert instances == with_calls
    assert (len(instances), len(found)) == (3, 2)


def test_files_that_are_removed_again_and_again(
    stored: tuple[Path, list[Rollup]], place: Path
) -> None:
    query = StoreQuery(str(place), parse_selection("shop"))
    written = count(100)

    def read() -> Any:
        files = list(place.rglob("*.parquet"))
        Store(str(place)).write(stored[1][0], next(written))
        for file in files:
            file.unlink(missing_ok=True)
        return query.chains()

    with pytest.raises(FunctraceError, match="files are removed again and again"):
        query.consistently(read)


def test_damage_that_a_later_query_finds(place: Path) -> None:
    file = damaged(place, "chains")
    release = pq.read_table(file)["release"][0].as_py()
    group = pq.read_metadata(file).row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    (bucket,) = [each for each in columns if each.path_in_schema.startswith("bucket.")]
    content = bytearray(file.read_bytes())
    begin, size = bucket.data_page_offset, bucket.total_compressed_size
    content[begin : begin + size] = b"\xff" * size
    file.write_bytes(content)
    query = StoreQuery(str(place), parse_selection(f"shop@{release}"))
    assert len(query.definitions())
    definitions, chains = query.consistently(lambda: (query.definitions(), query.chains()))
    assert (len(definitions), len(chains)) == (0, 0)
    assert len(query.errors) == 1


def test_what_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(FunctraceError, match="not a store of functrace rollup"):
        StoreQuery(str(tmp_path), Selection())


@pytest.mark.slow
@pytest.mark.usefixtures("s3")
def test_s3(stored: tuple[Path, list[Rollup]]) -> None:
    place = "s3://bundles/traces"
    fill(place, stored[1])
    assert of_same_columns(rows(place), expected(stored[1]))
    compact_all(place)
    Store(place).write(stored[1][0], 100)
    assert of_same_columns(rows(place), expected(stored[1]))
