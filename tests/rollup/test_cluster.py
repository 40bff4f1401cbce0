"""Rollups of traces in a bucket, on one machine and on a Dask cluster, are those of local files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from functrace.cli import verbs
from functrace.errors import FunctraceError
from functrace.remote_traces import find_urls
from functrace.rollup.folding import Folded, fold_place
from functrace.rollup.layout import StoredFile
from functrace.rollup.parquet import from_bytes
from functrace.rollup.store import Store
from tests.rollup import service
from tests.support.waiting import PATIENCE, read_until, wait_until
from tests.watch.test_bundle_store import Server, bucket, s3

__all__ = ["s3"]
_VARYING = ["written", "example_trace"]


def traces_in(folder: Path, count: int, seconds: int = 100) -> Path:
    folder.mkdir()
    for number in range(1, count + 1):
        service.write(
            folder / f"{number:02}.ftrace",
            key=f"{number:016x}",
            service="shop" if number % 2 else "pay",
            seconds=seconds + number,
        )
    return folder


def rows(place: str) -> list[dict[str, Any]]:
    """Return all rows of a store but for the times at which they were written."""
    store = Store(place)
    found = []
    for partition in store.partitions():
        for _, tables in store.read(partition):
            for name, table in tables.items():
                for row in table.to_pylist():
                    row = {key: row[key] for key in row if key not in _VARYING}
                    found.append({"table": name, "partition": partition.folder, **row})
    return sorted(found, key=repr)


def functrace(*words: str) -> str:
    done = CliRunner().invoke(verbs.functrace, words)
    assert done.exit_code == 0, done.output
    return done.output


def callers(*words: str) -> dict[str, Any]:
    """Return the chains to store.Get but for the traces of their examples."""
    return without_places(functrace("callers", "store.Get", *words, "--json"))


def without_places(output: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output[output.index("{") :])
    assert found.pop("coverage")["instances"] > 0
    assert len(found.pop("traces")) == 1
    text = re.sub(r'"[^"]*([0-9]{2}\.ftrace)"', r'"\1"', json.dumps(found))
    return dict(json.loads(text))


def test_traces_in_a_bucket(s3: Server, tmp_path: Path) -> None:
    local = traces_in(tmp_path / "traces", 2)
    functrace("rollup", str(local), "-o", str(tmp_path / "expected"))
    (local / "03.ftrace").write_bytes(b"no trace")
    bucket(s3).put(str(local), "bundles/recorded", recursive=True)

    urls = [f"s3://bundles/recorded/{number:02}.ftrace" for number in (1, 2, 3)]
    assert find_urls("s3://bundles/recorded/") == urls
    assert find_urls("s3://bundles/recorded/*1.ftrace") == urls[:1]
    with pytest.raises(FunctraceError, match="no traces there"):
        find_urls("s3://bundles/nothing/*.ftrace")

    out = str(tmp_path / "out")
    output = functrace("rollup", "s3://bundles/recorded/*.ftrace", "-o", out)
    assert f"{urls[2]}: not a functrace trace" in output
    assert "1 of 3 traces ignored: unreadable" in output
    assert rows(out) == rows(str(tmp_path / "expected"))
    ((_, tables),) = Store(out).read(Store(out).partitions()[0])
    assert set(tables["chains"]["example_trace"].to_pylist()) == {None, urls[1]}
    expected = callers("--store", str(tmp_path / "expected"))
    assert callers("s3://bundles/recorded/*.ftrace") == expected
    missing = CliRunner().invoke(verbs.functrace, ["rollup", "s3://bundles/no.ftrace", "-o", out])
    assert str(missing.exception).startswith("s3://bundles/no.ftrace: ")


# ---- on a cluster ----

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a command of Dask; kill it at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, stdout: Any = subprocess.DEVNULL) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            stdout=stdout,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=PATIENCE)


def start_scheduler(start: Start, folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Return the process and the address of a scheduler."""
    pytest.importorskip("distributed", reason="no distributed: it is in the dependency group test")
    file = folder / "scheduler.json"
    words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    process = start("distributed.cli.dask_scheduler", *words)
    read_until(process.stderr, "Scheduler at:")
    wait_until(lambda: file.exists() and file.read_text().rstrip().endswith("}"))
    return process, json.loads(file.read_text())["address"]


@pytest.fixture
def scheduler(start: Start, tmp_path: Path) -> str:
    return start_scheduler(start, tmp_path)[1]


def worker(start: Start, scheduler: str) -> subprocess.Popen[str]:
    words = (
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
        "--host",
        "127.0.0.1",
        "--local-directory",
        ".",
    )
    process = start("distributed.cli.dask_worker", scheduler, *words)
    read_until(process.stderr, "Registered to:")
    return process


@pytest.mark.slow
def test_a_worker_that_is_killed(s3: Server, start: Start, scheduler: str, tmp_path: Path) -> None:
    """Another worker does what it had to do; nothing is missing, and nothing counts twice."""
    local = traces_in(tmp_path / "traces", 12, seconds=400)
    bucket(s3).put(str(local), "bundles/recorded", recursive=True)
    first = worker(start, scheduler)
    out, arguments = "s3://bundles/out", ("s3://bundles/recorded/*.ftrace", "--dask", scheduler)
    running = start("functrace", "rollup", *arguments, "-o", out)
    wait_until(lambda: running.poll() is not None or bucket(s3).find("bundles/out/chains"))
    first.kill()
    assert running.poll() is None, running.communicate()
    worker(start, scheduler)
    assert running.wait(PATIENCE) == 0, running.communicate()
    functrace("rollup", str(local), "-o", str(tmp_path / "expected"))
    assert rows(out) == rows(str(tmp_path / "expected"))


@pytest.mark.slow
def test_a_worker_that_is_killed_with_what_it_has_folded(
    start: Start, scheduler: str, tmp_path: Path
) -> None:
    """What was to be merged is folded again."""
    local = traces_in(tmp_path / "traces", 12, seconds=400)
    first = worker(start, scheduler)
    words = ("functrace", "callers", "store.Get", str(local), "--dask", scheduler, "--json")
    with (tmp_path / "printed").open("w") as printed:
        running = start(*words, stdout=printed)
    is_folded = lambda dask_scheduler: any(  # noqa: E731  pickled by value
        task.prefix.name == "fold_place" and task.state == "memory"
        for task in dask_scheduler.tasks.values()
    )
    with pytest.importorskip("distributed").Client(scheduler, set_as_default=False) as client:
        wait_until(lambda: client.run_on_scheduler(is_folded) or running.poll() is not None)
        first.kill()
    assert running.poll() is None, running.communicate()
    worker(start, scheduler)
    assert running.wait(PATIENCE) == 0, running.communicate()
    functrace("rollup", str(local), "-o", str(tmp_path / "expected"))
    found = without_places((tmp_path / "printed").read_text())
    assert found == callers("--store", str(tmp_path / "expected"))


def _fold_all_but_02(place: str, *arguments: Any, **options: Any) -> Folded:
    if place.endswith("02.ftrace"):
        raise MemoryError("too large")
    return fold_place(place, *arguments, **options)


def test_a_task_that_fails_on_every_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trace is named, the others are in the store and in the report; the exit status is 1."""
    distributed = pytest.importorskip(
        "distributed", reason="no distributed: it is in the dependency group test"
    )
    monkeypatch.setattr("functrace.rollup.cluster.fold_place", _fold_all_but_02)
    local, out = traces_in(tmp_path / "traces", 3), tmp_path / "out"
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        words = ["rollup", str(local), "--dask", address, "-o", str(out)]
        done = CliRunner().invoke(verbs.functrace, words)
    reason = "its task failed on the cluster: MemoryError: too large"
    assert f"functrace: {local / '02.ftrace'}: {reason}\n" in done.output
    assert done.output.count(" 2023-11-14T22: ") == 2
    assert isinstance(done.exception, FunctraceError)
    assert str(done.exception).startswith("1 of 3 traces could not be folded on the cluster")
    (local / "02.ftrace").unlink()
    functrace("rollup", str(local), "-o", str(tmp_path / "expected"))
    assert rows(str(out)) == rows(str(tmp_path / "expected"))


@pytest.mark.slow
def test_a_scheduler_that_is_killed(start: Start, tmp_path: Path) -> None:
    """There are no workers, so that tasks wait."""
    process, scheduler = start_scheduler(start, tmp_path)
    local = traces_in(tmp_path / "traces", 2)
    words = ("rollup", str(local), "--dask", scheduler, "-o", str(tmp_path / "out"))
    running = start("functrace", *words)
    count_tasks = lambda dask_scheduler: len(dask_scheduler.tasks)  # noqa: E731  pickled by value
    with pytest.importorskip("distributed").Client(scheduler, set_as_default=False) as client:
        wait_until(lambda: client.run_on_scheduler(count_tasks) == 2)
    process.kill()
    _, printed = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1
    assert printed.splitlines()[-1] == (
        f"functrace: {scheduler}: lost the connection to the scheduler"
    )
    assert "Traceback" not in printed


@pytest.mark.slow
def test_a_store_in_a_folder_of_this_machine(start: Start, scheduler: str, tmp_path: Path) -> None:
    local = traces_in(tmp_path / "traces", 4)
    service.write(local / "99.ftrace", key=f"{1:016x}", service="shop", seconds=5)
    worker(start, scheduler)
    output = functrace("rollup", str(local), "--dask", scheduler, "-o", str(tmp_path / "out"))
    assert "01.ftrace, a longer trace of the same recording" in output
    functrace("rollup", str(local), "-o", str(tmp_path / "expected"))
    assert rows(str(tmp_path / "out")) == rows(str(tmp_path / "expected"))
    assert callers(str(local), "--dask", scheduler) == callers(
        "--store", str(tmp_path / "expected")
    )


def test_chains_of_many_traces_are_merged_on_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only sums come back: a file for each service, with a row for each chain."""
    distributed = pytest.importorskip(
        "distributed", reason="no distributed: it is in the dependency group test"
    )
    monkeypatch.setattr("functrace.rollup.cluster._MERGED", 2)
    put: list[tuple[StoredFile, dict[str, bytes]]] = []
    store_put = Store.put

    def spy(store: Store, file: StoredFile, contents: dict[str, bytes]) -> None:
        put.append((file, contents))
        store_put(store, file, contents)

    local = traces_in(tmp_path / "traces", 4, seconds=2900)
    service.write(local / "97.ftrace", key=f"{1:016x}", service="shop", seconds=5)
    (local / "98.ftrace").write_bytes(b"no trace")
    functrace("rollup", str(local), "-o", str(tmp_path / "expected"))
    monkeypatch.setattr(Store, "put", spy)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        found = callers(str(local), "--dask", cluster.scheduler_address)
    assert sorted(file.partition.service for file, _ in put) == ["pay", "shop"]
    for file, contents in put:
        chains = from_bytes(contents["chains"], "chains", file.name).to_pylist()
        names = sorted(row["function"] for row in chains)
        assert names == ["main.main", "store.Get", "store.Get"]
    assert found == callers("--store", str(tmp_path / "expected"))


def test_a_scheduler_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="no distributed: it is in the dependency group test")
    monkeypatch.setattr("functrace.rollup.cluster._CONNECT_S", 0.1)
    local = traces_in(tmp_path / "traces", 1)
    words = ["rollup", str(local), "--dask", "tcp://127.0.0.1:1", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(verbs.functrace, words)
    assert str(done.exception).startswith("tcp://127.0.0.1:1: cannot reach the scheduler")
