from __future__ import annotations

import contextlib
import dataclasses
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from functrace.errors import FunctraceError
from functrace.watch import bundle, bundle_files, private_files
from functrace.watch.bundle import save_bundle
from functrace.watch.bundle_names import bundle_name, is_bundle_name
from tests.support.pythons import ROOT
from tests.watch import firings


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return firings.ring(tmp_path / "rings")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def picture_names() -> set[str]:
    return {"flamegraph.svg", "callgraph.svg" if shutil.which("dot") else "callgraph.dot"}


def test_bundle_contains_all_files(ring: Path, out: Path) -> None:
    saved = save_bundle(firings.firing(ring), out)
    assert names(out) == {firings.NAME, f"{firings.NAME}.zip"}
    assert saved.folder == out / firings.NAME
    expected = {"shop-4711.ftrace", "why.json", "triage.txt", "process.json", *picture_names()}
    assert names(saved.folder) == expected
    with zipfile.ZipFile(saved.archive) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {f"{firings.NAME}/{name}" for name in expected}
    assert (saved.folder / "flamegraph.svg").read_text().startswith("<?xml")


def test_reason_contains_the_firing(ring: Path, out: Path) -> None:
    saved = save_bundle(firings.firing(ring), out)
    why = json.loads((saved.folder / "why.json").read_text())
    assert (why["trigger"], why["at"]) == ("failure-rate", firings.AT)
    assert why["process"]["pid"] == 4711
    assert why["values"] == {"failed": 3, "calls": 59, "max_share": 0.02}
    assert why["chain"][-1] == "example.com/shop/store.(*Store).Get"
    assert why["missing"] == list(saved.missing)
    assert why["trace"] == "shop-4711.ftrace"
    page = (ROOT / "docs" / "bundles.md").read_text()
    assert [key for key in why if f"`{key}`" not in page] == []


def test_triage_is_that_of_the_verb(ring: Path, out: Path) -> None:
    saved = save_bundle(firings.firing(ring), out)
    done = subprocess.run(
        [sys.executable, "-m", "functrace", "triage", "shop-4711.ftrace"],
        cwd=saved.folder,
        env={**os.environ, "PYTHONPATH": str(Path(bundle.__file__).parents[2])},
        capture_output=True,
        check=True,
    )
    assert (saved.folder / "triage.txt").read_bytes() == done.stdout
    assert b"store.(*Store).Get failed 3x" in done.stdout


def test_only_the_user_can_read_a_bundle(ring: Path, out: Path) -> None:
    saved = save_bundle(firings.firing(ring), out)
    assert saved.folder.stat().st_mode & 0o777 == 0o700
    for path in (*saved.folder.iterdir(), saved.archive):
        assert path.stat().st_mode & 0o777 == 0o600


def test_same_firing_is_saved_once(ring: Path, out: Path) -> None:
    saved = save_bundle(firings.firing(ring), out)
    inode = saved.archive.stat().st_ino
    ring.unlink()
    assert save_bundle(firings.firing(ring), out) == saved
    assert saved.archive.stat().st_ino == inode
    assert len(names(out)) == 2


def test_processes_of_two_containers_have_two_bundles(ring: Path, out: Path) -> None:
    first = firings.firing(ring)
    other = firings.firing(ring, process=dataclasses.replace(first.process, start="900", ring=ring))
    folders = [save_bundle(each, out).folder.name for each in (first, other, first, other)]
    assert folders == [firings.NAME, f"{firings.NAME}-2"] * 2


def test_ring_that_is_gone_leaves_nothing(ring: Path, out: Path) -> None:
    ring.unlink()
    with pytest.raises(FunctraceError, match="No such file"):
        save_bundle(firings.firing(ring), out)
    assert names(out) == set()


def test_full_disk_is_an_error(ring: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise OSError(28, "No space left on device", str(out))

    monkeypatch.setattr(bundle, "write_file", write)
    with pytest.raises(FunctraceError, match="No space left on device"):
        save_bundle(firings.firing(ring), out)
    assert names(out) == set()


def _save_and_die(ring: Path, out: Path, step: str, at: int) -> None:
    """Save a bundle in a process that is killed before or after its write number `at`."""
    writes = 0

    def write(path: Path, *arguments: object) -> None:
        nonlocal writes
        if writes == at and step == "before":
            os._exit(9)
        original(path, *arguments)  # type: ignore[arg-type]
        if writes == at and step == "after":
            os._exit(9)
        writes += 1

    original = private_files.write_file
    for module in (bundle, bundle_files, private_files):
        module.write_file = write  # type: ignore[attr-defined]
    save_bundle(firings.firing(ring), out)


@pytest.mark.parametrize("step", ["before", "after"])
@pytest.mark.parametrize("at", range(5))
def test_killed_watcher_loses_and_duplicates_nothing(
    ring: Path, out: Path, step: str, at: int
) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=_save_and_die, args=(ring, out, step, at)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.ftrace")}
    saved = save_bundle(firings.firing(ring), out)
    assert names(out) == {firings.NAME, f"{firings.NAME}.zip"}
    assert {"triage.txt", "process.json", *picture_names()} < names(saved.folder)
    (trace,) = saved.folder.glob("*.ftrace")
    assert trace.stat().st_mtime_ns in written.values() or not written  # the first copy is kept


def _save_and_die_within(ring: Path, out: Path, name: str) -> None:
    """Save a bundle in a process that is killed while it writes a file."""
    original = private_files.open_file

    @contextlib.contextmanager
    def open_file(path: Path) -> Iterator[BinaryIO]:
        with original(path) as file:
            if path.name == name:
                file.write(b"half")
                file.flush()
                os._exit(9)
            yield file

    bundle_files.open_file = open_file  # type: ignore[attr-defined]
    private_files.open_file = open_file
    save_bundle(firings.firing(ring), out)


@pytest.mark.parametrize(
    "name", ["why.json", "shop-4711.ftrace", "flamegraph.svg", f"{firings.NAME}.zip"]
)
def test_half_a_file_is_written_again(ring: Path, out: Path, name: str) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=_save_and_die_within, args=(ring, out, name)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    saved = save_bundle(firings.firing(ring), out)
    assert names(out) == {firings.NAME, f"{firings.NAME}.zip"}
    assert len(names(saved.folder)) == 4 + len(picture_names())
    with zipfile.ZipFile(saved.archive) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(names(saved.folder))


def test_interrupted_bundle_without_trace_or_ring_is_removed(ring: Path, out: Path) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=_save_and_die, args=(ring, out, "after", 0)
    )
    process.start()
    process.join()
    ring.unlink()
    with pytest.raises(FunctraceError, match="No such file"):
        save_bundle(firings.firing(ring), out)
    assert names(out) == set()


def test_bundle_that_another_watcher_writes_is_left_to_it(ring: Path, out: Path) -> None:
    from functrace.watch.bundle_folder import folder_of, locked

    folder = folder_of(firings.firing(ring), out)
    with locked(folder), pytest.raises(FunctraceError, match="another watcher is writing"):
        save_bundle(firings.firing(ring), out)


@pytest.mark.parametrize("trigger", ["../../etc", "-rf", "a b", ".", "x" * 300, "ü"])
def test_names_stay_in_the_folder(ring: Path, trigger: str) -> None:
    name = bundle_name(firings.firing(ring, trigger=trigger))
    assert is_bundle_name(name)
    assert name != bundle_name(firings.firing(ring, trigger=f"{trigger}/"))
    assert len(name) < 200
