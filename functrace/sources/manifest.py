"""Manifest of an output tree: the sources it was built from, for incremental runs."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functrace.errors import FunctraceError, UsageError
from functrace.results import FileResult
from functrace.sources.walk import STATE_FOLDER, Folder
from functrace.sources.write import write_atomic

_FORMAT = 1
# Size and modification time of a source file, then of its output file.
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class FolderRecord:
    """One directory of the tree: the stamps of its files and their results."""

    key: str
    stamps: dict[str, Stamp]
    results: tuple[FileResult, ...]


@dataclass
class Manifest:
    """All directories of a tree, by their path from its root."""

    key: str
    folders: dict[str, FolderRecord] = field(default_factory=dict)

    def find_current(self, folder: Folder, target: Path, key: str) -> FolderRecord | None:
        """Return the record of ``folder`` if neither its sources nor its output have changed."""
        record = self.folders.get(folder.relative)
        names = set(folder.files())
        if record is None or record.key != key or record.stamps.keys() != names:
            return None
        same = all(stamp(folder.path, target, name) == record.stamps[name] for name in names)
        return record if same else None


def stamp(source: Path, target: Path, name: str) -> Stamp | None:
    """Return the stamp of a file and its output file, or None if either is missing."""
    try:
        before = _status(os.path.join(source, name))
        after = os.lstat(os.path.join(target, name))
    except OSError:
        return None
    return before.st_size, before.st_mtime_ns, after.st_size, after.st_mtime_ns


def _status(path: str) -> os.stat_result:
    """Return the status of a file, of a link's target if it exists: the tree gets the target."""
    try:
        return os.stat(path)
    except OSError:
        return os.lstat(path)


def stamps(folder: Folder, target: Path) -> dict[str, Stamp]:
    """Return the stamps of all files of a directory that has just been written."""
    found = {name: stamp(folder.path, target, name) for name in folder.files()}
    return {name: value for name, value in found.items() if value is not None}


def claim(out: Path) -> None:
    """Mark ``out`` as an output tree of functrace.

    Raises:
        UsageError: it contains files that functrace did not write.
        FunctraceError: it cannot be created.
    """
    if out.is_dir() and any(out.iterdir()) and not (out / STATE_FOLDER).is_dir():
        raise UsageError(f"{out} is not empty and was not made by functrace: choose another --out")
    try:
        (out / STATE_FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FunctraceError(f"cannot create {out}: {error.strerror}") from error


@contextmanager
def lock(out: Path) -> Iterator[None]:
    """Lock the tree against concurrent runs.

    Raises:
        FunctraceError: another run is writing to it.
    """
    with open(out / STATE_FOLDER / "lock", "wb") as lock:
        try:
            # Not flock: workers would inherit the lock and hold it after the parent was killed.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FunctraceError(f"another functrace is writing to {out}") from None
        yield


def load(out: Path, key: str) -> Manifest:
    """Return the manifest of the tree, without stamps to reuse if it does not match ``key``."""
    try:
        data = json.loads((out / STATE_FOLDER / "manifest.json").read_bytes())
        if data["format"] != _FORMAT or data["key"] != key:
            return Manifest(key, _keep_names_only(data))
        return Manifest(
            key, {name: _parse_folder(entry) for name, entry in data["folders"].items()}
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Manifest(key)


def _keep_names_only(data: dict[str, Any]) -> dict[str, FolderRecord]:
    """Return only the file names of a manifest written with other options, for :func:`prune`."""
    return {n: FolderRecord("", dict(e["stamps"]), ()) for n, e in data["folders"].items()}


def _parse_folder(entry: dict[str, Any]) -> FolderRecord:
    results = tuple(FileResult(**result) for result in entry["results"])
    return FolderRecord(entry["key"], {n: tuple(s) for n, s in entry["stamps"].items()}, results)


def save(out: Path, manifest: Manifest) -> None:
    """Write the manifest.

    It is not synced to the disk: that would wait for the whole tree, and
    a manifest lost in a power failure costs no more than a run from scratch.
    """
    folders = {
        name: {"key": m.key, "stamps": m.stamps, "results": [r.counts() for r in m.results]}
        for name, m in manifest.folders.items()
    }
    data = {"format": _FORMAT, "key": manifest.key, "folders": folders}
    write_atomic(out / STATE_FOLDER / "manifest.json", json.dumps(data).encode(), durable=False)


def prune(out: Path, before: Manifest, after: Manifest) -> None:
    """Delete files of an earlier run that this run did not produce."""
    for relative, record in before.folders.items():
        now = after.folders.get(relative)
        for name in record.stamps.keys() - (now.stamps.keys() if now else set()):
            (out / relative / name).unlink(missing_ok=True)
        if now is None:
            _remove_empty(out / relative)


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
