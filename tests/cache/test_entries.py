"""Cache entries: content, permissions and trimming."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from functrace.cache import entries
from functrace.cache.trimming import trim

CONTENT = bytes(range(0, 256, 4))


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "cache")


def test_read_returns_written_content(folder: str) -> None:
    assert entries.read(folder, "ab12") is None
    assert entries.put(folder, "ab12", CONTENT)
    assert entries.read(folder, "ab12") == CONTENT
    assert entries.put(folder, "ab12", b"")
    assert entries.read(folder, "ab12") == b""


def test_damaged_entry_is_absent(folder: str) -> None:
    entries.put(folder, "ab12", CONTENT)
    path = Path(entries.path(folder, "ab12"))
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert entries.read(folder, "ab12") is None, f"cut to {size} bytes"
    for at in range(len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << random.Random(at).randrange(8)
        path.write_bytes(flipped)
        assert entries.read(folder, "ab12") is None, f"a bit of byte {at}"
    for longer in (whole + b"\0", b"\0" + whole, bytes(len(whole))):
        path.write_bytes(longer)
        assert entries.read(folder, "ab12") is None
    entries.put(folder, "ab12", CONTENT)
    assert entries.read(folder, "ab12") == CONTENT


def test_entry_of_another_key_is_absent(folder: str) -> None:
    for key in ("ab12", "ab13"):
        entries.put(folder, key, CONTENT)
    os.replace(entries.path(folder, "ab13"), entries.path(folder, "ab12"))
    assert entries.read(folder, "ab12") is None


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_entries_are_private(folder: str, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert entries.put(folder, "ab12", CONTENT)
    finally:
        os.umask(before)
    path = Path(entries.path(folder, "ab12"))
    assert [p.stat().st_mode & 0o777 for p in (path, path.parent)] == [0o600, 0o700]


def test_links_and_pipes_are_not_entries(folder: str, tmp_path: Path) -> None:
    entries.put(folder, "ab12", CONTENT)
    path = Path(entries.path(folder, "ab12"))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert entries.read(folder, "ab12") is None
    path.unlink()
    os.mkfifo(path)
    assert entries.read(folder, "ab12") is None


def test_put_fails_in_unwritable_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (str(tmp_path / "file" / "x"), ""):
        assert not entries.put(folder, "ab", CONTENT)
        trim(folder)
        assert entries.read(folder, "ab") is None
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_trim_deletes_least_recently_used_first(folder: str) -> None:
    keys = ("aa1", "bb2", "cc3")
    for age, key in enumerate(keys):
        entries.put(folder, key, b"x" * 92)
        os.utime(entries.path(folder, key), (1_000_000 - age, 1_000_000 - age))
    entries.read(folder, "cc3")  # marks the entry as used
    trim(folder, limit=200)
    assert [entries.read(folder, key) is not None for key in keys] == [True, False, True]
    trim(folder, limit=0)
    assert entries.read(folder, "aa1") is not None, "once a day is enough"
    trim(folder, limit=0, every=0)
    assert entries.read(folder, "aa1") is None
