"""The store: whole after any crash, the same before and after compaction, safe to read."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functrace.errors import FunctraceError
from functrace.object_stores import make_folder
from functrace.rollup import compaction, parquet, parquet_checks
from functrace.rollup.compaction import Compacted, compact
from functrace.rollup.from_trace import rollups_of
from functrace.rollup.labels import labels_of
from functrace.rollup.layout import Partition
from functrace.rollup.rollup import Rollup
from functrace.rollup.store import Store
from functrace.rollup.store_files import StoreFiles
from functrace.tracefile import open_trace
from tests.rollup import service
from tests.support.waiting import PATIENCE, read_until
from tests.watch.test_bundle_store import Server, bucket, s3  # noqa: F401  a fixture

NOW = datetime(2023, 11, 15, tzinfo=timezone.utc)
PARTITION = Partition("shop", service.HOUR)
KEYS = [f"{number:016x}" for number in (1, 2, 3)]


@pytest.fixture
def rollups(tmp_path: Path) -> list[Rollup]:
    """One rollup of each of three processes."""
    found = []
    for key in KEYS:
        trace = open_trace(service.write(tmp_path / f"{key}.ftrace", key=key, seconds=70))
        found += rollups_of(trace, labels_of(trace, service="shop"))
    return found


def rows(store: Store, partition: Partition = PARTITION) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a partition, without the times at which they were written."""
    found: dict[str, list[dict[str, Any]]] = {"chains": [], "processes": []}
    for _, tables in store.read(partition):
        for name, table in tables.items():
            found[name] += table.drop_columns(["written"]).to_pylist()
    for name, key in (("chains", "chain"), ("processes", "instance")):
        found[name].sort(key=lambda row: (row["instance"], row["window"], row[key]))
    return found


def filled(place: Path | str, rollups: list[Rollup]) -> Store:
    store = Store(str(place))
    for number, each in enumerate(rollups, 1):
        store.write(each, number)
    return store


def compacted(store: Store) -> Compacted | None:
    return compact(store, PARTITION, now=NOW)


def test_rows_of_a_rollup(tmp_path: Path, rollups: list[Rollup]) -> None:
    found = rows(filled(tmp_path / "store", rollups[:1]))
    calls = [(row["function"], row["started"], row["calls"]) for row in found["chains"]]
    assert sorted(calls) == [
        ("main.main", False, 0),  # without calls that ended, so that chains are whole
        ("main.main", False, 1),
        ("store.Get", False, 30),
        ("store.Get", False, 40),
        ("store.Get", True, 1),
    ]
    assert [row["calls"] for row in found["processes"]] == [41, 31]
    assert [row["failed"] for row in found["processes"]] == [14, 10]
    assert {row["instance"] for row in found["processes"]} == {KEYS[0]}


def test_a_trace_that_is_added_again_replaces_its_rollup(
    tmp_path: Path, rollups: list[Rollup]
) -> None:
    store = filled(tmp_path / "store", rollups)
    before = rows(store)
    for written in (9, 10):
        store.write(rollups[1], written)
        assert rows(store) == before
        assert len(store.list_files(PARTITION)) == 3
    compacted(store)
    store.write(rollups[1], 11)
    assert len(store.list_files(PARTITION)) == 2
    assert rows(store) == before
    compacted(store)
    assert rows(store) == before


def test_compaction_keeps_all_rows(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups)
    before = rows(store)
    done = compacted(store)
    assert done is not None
    assert (done.files_before, done.files_after, done.rows) == (3, 1, len(before["chains"]))
    assert rows(store) == before
    assert [file.is_compacted for file in store.list_files(PARTITION)] == [True]
    assert compacted(store) is None
    assert {path.name.partition(".")[2] for path in (tmp_path / "store").rglob("*.*")} <= {
        "compacted.parquet",
        "json",
    }


def test_large_files_are_not_merged(
    tmp_path: Path, rollups: list[Rollup], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path / "store", rollups)
    before = rows(store)
    monkeypatch.setattr(compaction, "MAX_BATCH_BYTES", _file(store).stat().st_size * 5 // 2)
    done = compacted(store)
    assert done is not None
    assert (done.files_before, done.files_after) == (3, 2)
    assert rows(store) == before
    monkeypatch.setattr(compaction, "MAX_BATCH_BYTES", _file(store).stat().st_size)
    assert compacted(store) is None
    store.write(rollups[1], 11)  # in place of a rollup of a file that is not read
    assert compacted(store) is None
    assert rows(store) == before


def test_a_compaction_removes_nothing_if_readers_would_refuse_its_file(
    tmp_path: Path, rollups: list[Rollup], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path / "store", rollups)
    before = rows(store)
    one = pq.read_metadata(_file(store)).num_rows
    monkeypatch.setattr(parquet_checks, "_MAX_ROWS", one)
    with pytest.raises(FunctraceError, match="its contents are too large"):
        compacted(store)
    assert rows(store) == before
    monkeypatch.undo()
    monkeypatch.setattr(compaction, "MAX_FILE_BYTES", 1000)
    with pytest.raises(FunctraceError, match="the file would be too large"):
        compacted(store)
    assert rows(store) == before
    assert len(store.list_files(PARTITION)) == 3


def test_compacted_rows_of_a_function_are_together(
    tmp_path: Path, rollups: list[Rollup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS_OF_GROUP", 4)
    store = filled(tmp_path / "store", rollups)
    compacted(store)
    metadata = pq.read_metadata(_file(store))
    column = parquet.CHAINS.get_field_index("function")
    groups = [metadata.row_group(group).column(column) for group in range(metadata.num_row_groups)]
    bounds = [(group.statistics.min, group.statistics.max) for group in groups]
    assert len(bounds) > 2
    assert bounds == sorted(bounds)
    assert sum("main.main" in pair for pair in bounds) < len(bounds)


def test_old_hours_are_removed(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups)
    assert compact(store, PARTITION, now=NOW, max_age=timedelta(hours=2)) is not None
    assert store.partitions() == [PARTITION]
    done = compact(store, PARTITION, now=NOW, max_age=timedelta(hours=1))
    assert done is not None
    assert (done.files_before, done.files_after) == (1, 0)
    assert store.partitions() == []
    assert [path.name for path in (tmp_path / "store").rglob("*.parquet")] == []


class CrashError(Exception):
    """The process ended."""


class CrashingFiles:
    """Files of a store whose process ends before its change number `left`."""

    def __init__(self, files: StoreFiles, left: int) -> None:
        self._files = files
        self.left = left
        self.list, self.sizes, self.read = files.list, files.sizes, files.read

    def write(self, path: str, content: bytes) -> None:
        self._count()
        self._files.write(path, content)

    def remove(self, path: str) -> None:
        self._count()
        self._files.remove(path)

    def _count(self) -> None:
        if self.left == 0:
            raise CrashError
        self.left -= 1


def crashes(place: Path, change: Any) -> Iterator[Store]:
    """Make a change that ends after its first step, its second one and so on, until it is whole."""
    for steps in range(100):
        store = Store(str(place / str(steps)))
        yield store  # to be filled
        whole = store.files
        store.files = CrashingFiles(whole, steps)
        try:
            change(store)
        except CrashError:
            store.files = whole
            yield store  # to be checked
        else:
            store.files = whole
            yield store
            return
    pytest.fail("the change has no end")


def test_a_compaction_that_ends_at_any_step_leaves_all_rows(
    tmp_path: Path, rollups: list[Rollup]
) -> None:
    expected = rows(filled(tmp_path / "whole", rollups))
    steps = crashes(tmp_path / "stores", compacted)
    for count, store in enumerate(steps):
        if count % 2 == 0:
            for number, each in enumerate(rollups, 1):
                store.write(each, number)
            continue
        assert rows(store) == expected, count
        compacted(store)
        assert rows(store) == expected, count
        assert len(store.list_files(PARTITION)) == 1
    assert count == 17  # 2 files are written and 6 removed


def test_a_rollup_is_in_the_store_or_not(tmp_path: Path, rollups: list[Rollup]) -> None:
    two, three = (rows(filled(tmp_path / str(n), rollups[:n])) for n in (2, 3))
    steps = crashes(tmp_path / "stores", lambda store: store.write(rollups[2], 3))
    found = []
    for count, store in enumerate(steps):
        if count % 2 == 0:
            for number, each in enumerate(rollups[:2], 1):
                store.write(each, number)
            continue
        found.append(rows(store))
    assert found == [two, two, three]


def test_orphans_are_removed_once_they_are_old(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups)
    orphan = store.write(rollups[0], 20)
    store.files.remove(orphan.path("chains"))
    compact(store, PARTITION, now=datetime.fromtimestamp(60, timezone.utc))
    assert orphan in store.list_files(PARTITION, "processes")
    compact(store, PARTITION, now=NOW)
    assert orphan not in store.list_files(PARTITION, "processes")


def test_hours_without_chains_are_removed(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups)
    files = store.list_files(PARTITION)
    for file in files:
        store.files.remove(file.path("chains"))
    assert store.partitions() == [PARTITION]
    done = compact(store, PARTITION, now=NOW, max_age=timedelta(hours=1))
    assert done is not None
    assert (done.files_before, done.files_after) == (3, 0)
    assert store.partitions() == []


_WRITER = """
import sys
from datetime import datetime, timezone
from functrace.rollup.compaction import compact
from functrace.rollup.from_trace import rollups_of
from functrace.rollup.labels import labels_of
from functrace.rollup.store import Store
from functrace.tracefile import open_trace

traces = [open_trace(path) for path in sys.argv[2:]]
print("ready", flush=True)
for written in range(1, 1_000_000):
    store = Store(sys.argv[1])
    for trace in traces:
        for each in rollups_of(trace, labels_of(trace, service="shop")):
            store.write(each, written)
    for partition in store.partitions():
        compact(store, partition, now=datetime.fromtimestamp(written, timezone.utc))
"""


def test_a_killed_writer_leaves_a_store_that_can_be_read(
    tmp_path: Path, rollups: list[Rollup]
) -> None:
    place = tmp_path / "store"
    expected = rows(filled(place, rollups))
    traces = [str(tmp_path / f"{key}.ftrace") for key in KEYS]
    chance = random.Random(5)
    for _ in range(int(os.environ.get("FUNCTRACE_TEST_KILLS", "4"))):
        command = [sys.executable, "-c", _WRITER, str(place), *traces]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            read_until(process.stdout, "ready")
            for _ in range(chance.randrange(1, 20)):
                assert rows(Store(str(place))) == expected
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=PATIENCE)
        assert rows(Store(str(place))) == expected


# ---- object stores ----


def test_an_object_store(rollups: list[Rollup], tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").store.clear()
    store = filled("memory://traces/shop", rollups)
    expected = rows(filled(tmp_path / "store", rollups))
    assert rows(store) == expected
    compacted(store)
    assert rows(Store("memory://traces/shop/")) == expected
    assert compact(store, PARTITION, now=NOW, max_age=timedelta(0)) is not None
    assert store.list_files(PARTITION) == []
    assert compact(store, PARTITION, now=NOW, max_age=timedelta(0)) is None


@pytest.mark.slow
def test_s3(s3: Server, rollups: list[Rollup], tmp_path: Path) -> None:  # noqa: F811
    store = filled("s3://bundles/traces", rollups)
    expected = rows(filled(tmp_path / "store", rollups))
    assert rows(store) == expected
    compacted(store)
    assert rows(Store("s3://bundles/traces")) == expected
    assert len(bucket(s3).find("bundles/traces")) == 3
    s3.stop()
    with pytest.raises(FunctraceError, match="s3://bundles/traces/"):
        Store("s3://bundles/traces")


@pytest.mark.slow
def test_no_bucket_is_created(s3: Server, rollups: list[Rollup]) -> None:  # noqa: F811
    with pytest.raises(FunctraceError, match=r"s3://mistyped/traces/functrace-store\.json: "):
        filled("s3://mistyped/traces", rollups)
    assert not bucket(s3).exists("mistyped")


def test_object_stores_have_no_folders() -> None:
    made = []

    class System:
        protocol: str | tuple[str, ...] = ""

        def makedirs(self, path: str, *, exist_ok: bool) -> None:
            made.append((self.protocol, path, exist_ok))

    for System.protocol in ("memory", ("file", "local"), ("s3", "s3a"), "gs", ("gs", "gcs")):
        make_folder(System(), "bucket/folder")
    assert made == [("memory", "bucket/folder", True), (("file", "local"), "bucket/folder", True)]


# ---- stores that are not to be trusted ----


def _file(store: Store, table: str = "chains") -> Path:
    return Path(store.place, store.list_files(PARTITION)[0].path(table))


def test_damaged_files_are_errors(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups[:1])
    chance = random.Random(2)
    for table in ("chains", "processes"):
        path = _file(store, table)
        content = path.read_bytes()
        for _ in range(150):
            damaged = bytearray(content)
            for _ in range(chance.randrange(1, 4)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            del damaged[chance.choice([len(damaged), chance.randrange(len(damaged))]) :]
            path.write_bytes(bytes(damaged))
            try:
                rows(store)
            except FunctraceError as error:
                assert str(path) in str(error)  # noqa: PT017  it need not be raised
        path.write_bytes(content)


def _replace(path: Path, table: pa.Table, **options: Any) -> None:
    pq.write_table(table, path, **options)


def test_other_columns_are_an_error(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups[:1])
    path = _file(store)
    table = pq.read_table(path, partitioning=None)
    _replace(path, table.drop_columns(["calls"]))
    with pytest.raises(FunctraceError, match="not a rollup: it has other columns"):
        rows(store)
    _replace(path, table.replace_schema_metadata({}))
    with pytest.raises(FunctraceError, match="not a rollup"):
        rows(store)
    _replace(path, table.replace_schema_metadata({parquet.VERSION_KEY: b"2"}))
    with pytest.raises(FunctraceError, match="schema version 2 is newer"):
        rows(store)


@pytest.mark.slow
def test_files_that_would_exhaust_memory_are_errors(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups[:1])
    path = _file(store, "processes")
    table = pq.read_table(path, partitioning=None).slice(0, 1)
    many = pa.concat_tables([table] * 2_000_000).combine_chunks()
    _replace(path, many.cast(parquet.PROCESSES), compression="zstd")
    with pytest.raises(FunctraceError, match="its contents are too large"):
        rows(store)
    long = table.set_column(0, parquet.PROCESSES.field(0), pa.array(["x" * 1_000_000]))
    many = pa.concat_tables([long.slice(0, 1), *[table] * 20_000]).combine_chunks()
    _replace(path, many.cast(parquet.PROCESSES), compression="zstd")
    with pytest.raises(FunctraceError, match="its texts are too large"):
        rows(store)


@pytest.mark.parametrize(
    "name",
    [
        "service=shop/hour=2023-99-14T22",
        "service=shop/hour=../../x",
        "service=sh%6fp/hour=2023-11-14T22",
        "service=/hour=2023-11-14T22",
        "shop/hour=2023-11-14T22",
        "service=shop/hour=\uff12023-11-14T22",
    ],
)
def test_folders_of_others_are_left_alone(tmp_path: Path, rollups: list[Rollup], name: str) -> None:
    store = filled(tmp_path / "store", rollups[:1])
    (tmp_path / "store" / "chains" / name).mkdir(parents=True, exist_ok=True)
    assert store.partitions() == [PARTITION]


def test_files_of_others_are_left_alone(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups)
    expected = rows(store)
    folder = _file(store).parent
    names = [
        "x.parquet",
        "README",
        ".x.parquet.7.partial",
        f"{KEYS[0]}-99999999999999999999.parquet",
    ]
    for name in names:
        (folder / name).write_text("x")
    assert rows(store) == expected
    compacted(store)
    assert rows(store) == expected
    assert set(names) < {path.name for path in folder.iterdir()}


def test_links_and_pipes_are_not_read(tmp_path: Path, rollups: list[Rollup]) -> None:
    store = filled(tmp_path / "store", rollups[:1])
    path = _file(store)
    content = path.read_bytes()
    path.unlink()
    (tmp_path / "x").write_bytes(content)
    path.symlink_to(tmp_path / "x")
    with pytest.raises(FunctraceError, match=path.name):
        rows(store)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FunctraceError, match=path.name):
        rows(store)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"functrace_store": "1"}', "[" * 100_000])
def test_a_store_without_a_version_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "functrace-store.json").write_text(content)
    with pytest.raises(FunctraceError, match="not the version of a store"):
        Store(str(tmp_path))


def test_a_newer_store_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "functrace-store.json").write_text('{"functrace_store": 2}')
    with pytest.raises(FunctraceError, match="version 2 of a store is newer"):
        Store(str(tmp_path))


def test_names_of_services_are_safe(tmp_path: Path, rollups: list[Rollup]) -> None:
    names = ["../../etc", "a/b", ".", "..", "ü" * 150, "a=b&c%", "\n"]
    store = Store(str(tmp_path / "store"))
    for number, name in enumerate(names):
        labels = labels_of(open_trace(tmp_path / f"{KEYS[0]}.ftrace"), service=name)
        store.write(Rollup(**{**rollups[0].__dict__, "labels": labels}), number)
    found = {partition.service for partition in store.partitions()}
    assert found == {*names[:4], "ü" * 33, *names[5:]}
    for partition in store.partitions():
        assert len(rows(store, partition)["chains"]) == 5
    assert {path.name for path in tmp_path.iterdir()} == {
        "store",
        *(f"{key}.ftrace" for key in KEYS),
    }
