"""Only leftovers of killed processes are deleted at a later start."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from functrace.cache import leftovers


@pytest.fixture
def gone() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def _age(path: Path) -> Path:
    os.utime(path, (1_000_000, 1_000_000))
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    (path / "file").write_text("")
    return _age(path)


def _file(path: Path) -> Path:
    path.write_text("")
    return _age(path)


def test_leftovers_are_deleted(tmp_path: Path, gone: int) -> None:
    _folder(tmp_path / "functrace-go-12ab")
    _folder(tmp_path / f"functrace-run-{gone}-12ab")
    _file(tmp_path / f"functrace-otlp-{gone}-12ab.ftrace")
    leftovers.remove_stale(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_kept(tmp_path: Path, gone: int) -> None:
    """Files that are in use, recent, or not named like temporary files of functrace."""
    in_use = _folder(tmp_path / "functrace-go-12ab")
    locked = _file(tmp_path / f"functrace-otlp-{gone}-12ab.ftrace")
    descriptors = [leftovers.lock(in_use), leftovers.lock(locked)]
    (tmp_path / "functrace-go-34cd").mkdir()
    (tmp_path / f"functrace-otlp-{gone}-56ef.ftrace").write_text("")
    _folder(tmp_path / f"functrace-run-{os.getpid()}-12ab")
    _file(tmp_path / f"functrace-otlp-{os.getpid()}-12ab.ftrace")
    _folder(tmp_path / "functrace-test-12ab")  # the user's call chains
    _file(tmp_path / f"functrace-{gone}.ftrace")
    (tmp_path / "functrace-go-56ef").symlink_to(_folder(tmp_path / "mine"))
    (tmp_path / f"functrace-otlp-{gone}-78ab.ftrace").symlink_to(_file(tmp_path / "mine.txt"))
    before = sorted(tmp_path.rglob("*"))
    leftovers.remove_stale(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    for descriptor in descriptors:
        os.close(descriptor)
    leftovers.remove_stale(tmp_path)
    assert not in_use.exists()
    assert not locked.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of another user")
def test_files_of_other_users_are_kept(tmp_path: Path, gone: int) -> None:
    folder = _folder(tmp_path / "functrace-go-12ab")
    file = _file(tmp_path / f"functrace-otlp-{gone}-12ab.ftrace")
    for path in (folder, file):
        os.chown(path, 4321, 4321)
    leftovers.remove_stale(tmp_path)
    assert sorted(tmp_path.iterdir()) == [folder, file]


def test_session_folder_is_locked_while_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with leftovers.session_folder() as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        descriptor = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
    assert not folder.exists()
