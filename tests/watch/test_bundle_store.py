from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functrace.errors import FunctraceError
from functrace.watch.bundle import SavedBundle, save_bundle
from functrace.watch.bundle_store import FolderStore, Retention, list_finished, open_store, prune
from tests.support.waiting import PATIENCE, read_until
from tests.watch import firings

FOREVER_S = 1e12  # the firings of these tests are from 2023
KEEP_ALL = Retention(max_age_s=FOREVER_S)


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return firings.ring(tmp_path / "rings")


def save(ring: Path, folder: Path, count: int = 1) -> list[SavedBundle]:
    ats = [firings.AT + 100 * number for number in range(count)]
    return [save_bundle(firings.firing(ring, at=at), folder) for at in ats]


def size(bundle: SavedBundle) -> int:
    files = (*bundle.folder.iterdir(), bundle.archive)
    return sum(path.stat().st_size for path in files)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_oldest_bundles_are_removed_beyond_the_budget(ring: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved = save(ring, out, 4)
    limit = sum(map(size, saved[2:]))
    assert prune(out, Retention(limit, FOREVER_S), firings.AT) == 2
    assert list_finished(out) == [saved[2].folder, saved[3].folder]
    assert names(out) == {path.name for each in saved[2:] for path in (each.folder, each.archive)}


def test_newest_bundle_stays(ring: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved = save(ring, out, 2)
    assert prune(out, Retention(max_bytes=0, max_age_s=0), firings.AT + 1e9) == 1
    assert list_finished(out) == [saved[1].folder]


def test_old_bundles_are_removed(ring: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved = save(ring, out, 3)
    assert prune(out, Retention(max_age_s=150), firings.AT + 201) == 1
    assert list_finished(out) == [each.folder for each in saved[1:]]


def test_only_bundles_are_removed(ring: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved = save(ring, out, 2)
    foreign = [
        "notes.txt",
        "shop-1-20200101T000000.000Z-hang",  # named like a bundle, but has no firing
        "shop-1-20200101T000000.000Z-hang.zip",
        ".old.removed",
    ]
    for name in foreign:
        (out / name).mkdir()
    copied = out / "copy-of-a-bundle"
    copied.mkdir()
    (copied / "why.json").write_bytes((saved[0].folder / "why.json").read_bytes())
    prune(out, Retention(max_bytes=0, max_age_s=0), firings.AT + 1e9)
    assert {*foreign, copied.name} < names(out)


def test_half_removed_bundle_is_removed(ring: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (saved,) = save(ring, out)
    saved.folder.rename(out / f".{saved.folder.name}.removed")
    prune(out, KEEP_ALL, firings.AT)
    assert names(out) == set()


def test_folder_store_returns_the_path(ring: Path, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "out"), KEEP_ALL, tmp_path / "spool", pytest.fail)
    assert isinstance(store, FolderStore)
    (saved,) = save(ring, store.folder)
    assert store.keep(saved) == str(saved.folder)


@pytest.mark.parametrize("url", ["nonsense://bucket/a"])
def test_unknown_protocol_is_an_error(url: str, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(FunctraceError, match=url):
        open_store(url, KEEP_ALL, tmp_path, pytest.fail)


class Server:
    """An S3 server that the test can stop and start again."""

    def __init__(self) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        code = (
            "import sys; from moto.server import ThreadedMotoServer;"
            "server = ThreadedMotoServer('127.0.0.1', int(sys.argv[1])); server.start();"
            "print('ready', flush=True); sys.stdin.read()"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        read_until(self._process.stdout, "ready")

    def stop(self) -> None:
        if self._process is not None:
            self._process.communicate("", timeout=PATIENCE)
            self._process = None


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for module in ("moto.server", "s3fs"):
        pytest.importorskip(module, reason=f"no {module}: it is in the dependency group test")
    server = Server()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.start()
    pytest.importorskip(
        "s3fs"
    ).S3FileSystem.clear_instance_cache()  # they have an address of before
    bucket(server).mkdir("bundles")
    yield server
    server.stop()


def bucket(server: Server) -> Any:
    import s3fs

    return s3fs.S3FileSystem(
        key="test",
        secret="test",
        client_kwargs={"endpoint_url": server.url, "region_name": "eu-central-1"},
        skip_instance_cache=True,
        use_listings_cache=False,
    )


def keys(server: Server) -> set[str]:
    return set(bucket(server).find("bundles"))


def expected_keys(saved: SavedBundle, files: set[str]) -> set[str]:
    prefix = f"bundles/shop/{saved.folder.name}"
    return {f"{prefix}.zip", *(f"{prefix}/{name}" for name in files)}


def test_bundle_is_uploaded_and_leaves_the_spool(s3: Server, ring: Path, tmp_path: Path) -> None:
    store = open_store("s3://bundles/shop/", KEEP_ALL, tmp_path / "spool", pytest.fail)
    (saved,) = save(ring, store.folder)
    files = names(saved.folder)
    trace = (saved.folder / "shop-4711.ftrace").read_bytes()
    assert store.keep(saved) == f"s3://bundles/shop/{saved.folder.name}"
    assert keys(s3) == expected_keys(saved, files)
    prefix = f"bundles/shop/{saved.folder.name}"
    assert bucket(s3).cat_file(f"{prefix}/shop-4711.ftrace") == trace
    assert json.loads(bucket(s3).cat_file(f"{prefix}/why.json"))["trigger"] == "failure-rate"
    assert names(store.folder) == set()


def test_reader_never_sees_half_a_bundle(
    s3: Server, ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    uploaded: list[str] = []
    original = s3fs.S3FileSystem.put_file

    def put_file(system: Any, local: str, remote: str) -> None:
        uploaded.append(remote.rpartition("/")[2])
        original(system, local, remote)

    monkeypatch.setattr(s3fs.S3FileSystem, "put_file", put_file)
    store = open_store("s3://bundles/shop", KEEP_ALL, tmp_path / "spool", pytest.fail)
    (saved,) = save(ring, store.folder)
    store.keep(saved)
    assert uploaded.index("why.json") == len(uploaded) - 1 == len(keys(s3)) - 1


def test_unreachable_store_is_tried_again(s3: Server, ring: Path, tmp_path: Path) -> None:
    from functrace.watch.object_store import ObjectStore

    warnings: list[str] = []
    waits: list[float] = []
    spool = tmp_path / "spool"
    url = "s3://bundles/shop"
    store = ObjectStore(url, spool, KEEP_ALL, warnings.append, sleep=waits.append)
    s3.stop()
    (saved,) = save(ring, spool)
    files = names(saved.folder)
    store.keep(saved)
    assert waits == [1.0, 2.0]
    assert len(warnings) == 1
    assert "cannot upload to s3://bundles/shop" in warnings[0]
    assert list_finished(spool) == [saved.folder]
    s3.start()
    bucket(s3).mkdir("bundles")
    ring.unlink()
    (again,) = save(ring, spool)  # the bundle in the spool, since the ring is gone
    assert store.keep(again) == f"{url}/{saved.folder.name}"
    assert keys(s3) == expected_keys(saved, files)
    assert (names(spool), len(warnings)) == (set(), 1)


def test_spool_is_bounded(ring: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    from functrace.watch.object_store import ObjectStore

    (tmp_path / "file").write_text("no folder can be below a file")
    url = f"file://{tmp_path}/file/bundles"
    warnings: list[str] = []
    store = ObjectStore(
        url, tmp_path / "spool", Retention(1, FOREVER_S), warnings.append, sleep=lambda _: None
    )
    for saved in save(ring, store.folder, 3):
        store.keep(saved)
    assert len(list_finished(store.folder)) == 1
    assert len(warnings) == 3


def test_killed_after_uploading_keeps_the_first_bundle(ring: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    url = f"file://{tmp_path}/bundles"
    store = open_store(url, KEEP_ALL, tmp_path / "spool", pytest.fail)
    (saved,) = save(ring, store.folder)
    place = store.keep(saved)
    trace = tmp_path / "bundles" / saved.folder.name / "shop-4711.ftrace"
    before = trace.stat().st_mtime_ns
    (again,) = save(ring, store.folder)
    assert store.keep(again) == place
    assert trace.stat().st_mtime_ns == before
    assert names(store.folder) == set()


def test_bundle_of_another_host_is_not_overwritten(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    url = f"file://{tmp_path}/bundles"
    places = []
    for host in ("first", "second"):
        store = open_store(url, KEEP_ALL, tmp_path / host, pytest.fail)
        path = firings.ring(tmp_path / f"rings-{host}")
        places.append(store.keep(save_bundle(firings.firing(path), store.folder)))
    assert places == [f"{url}/{firings.NAME}", f"{url}/{firings.NAME}-2"]
    assert len(names(tmp_path / "bundles")) == 4


def test_killed_while_uploading_is_uploaded_once(ring: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    url = f"file://{tmp_path}/bundles"
    store = open_store(url, KEEP_ALL, tmp_path / "spool", pytest.fail)
    (saved,) = save(ring, store.folder)
    half = tmp_path / "bundles" / saved.folder.name
    half.mkdir(parents=True)
    (half / "triage.txt").write_text("ha")
    files = names(saved.folder)
    store.keep(saved)
    assert names(half) == files
    assert (half / "triage.txt").read_text() != "ha"
    assert names(tmp_path / "bundles") == {half.name, f"{half.name}.zip"}
    assert names(store.folder) == set()
