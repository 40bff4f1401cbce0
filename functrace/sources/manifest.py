"""What an output tree was made from, so that a second run does only what changed."""

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
from functrace.sources.walk import STATE, Folder
from functrace.sources.write import write_atomic

_FORMAT = 1
# Size and time of last change of a source, then of what was made from it.
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Made:
    """One folder of the tree: the stamps of its files, and what had been done to them."""

    key: str
    stamps: dict[str, Stamp]
    results: tuple[FileResult, ...]


@dataclass
class Manifest:
    """All folders of a tree, by their path from its root."""

    key: str
    folders: dict[str, Made] = field(default_factory=dict)

    def current(self, folder: Folder, target: Path, key: str) -> Made | None:
        """What was made of ``folder``, if neither it nor that has changed since."""
        made = self.folders.get(folder.relative)
        names = set(folder.files())
        if made is None or made.key != key or made.stamps.keys() != names:
            return None
        same = all(stamp(folder.path, target, name) == made.stamps[name] for name in names)
        return made if same else None


def stamp(source: Path, target: Path, name: str) -> Stamp | None:
    """The stamp of a file and of what was made from it; None if either is missing."""
    try:
        before = _status(os.path.join(source, name))
        after = os.lstat(os.path.join(target, name))
    except OSError:
        return None
    return before.st_size, before.st_mtime_ns, after.st_size, after.st_mtime_ns


def _status(path: str) -> os.stat_result:
    """Of the file that a link leads to: it is that which an output tree gets."""
    try:
        return os.stat(path)
    except OSError:
        return os.lstat(path)


def stamps(folder: Folder, target: Path) -> dict[str, Stamp]:
    """The stamps of all files of a folder that has just been made."""
    found = {name: stamp(folder.path, target, name) for name in folder.files()}
    return {name: value for name, value in found.items() if value is not None}


def claim(out: Path) -> None:
    """Make ``out`` ours to write to.

    Raises:
        UsageError: it holds something that functrace did not put there.
    """
    if out.is_dir() and any(out.iterdir()) and not (out / STATE).is_dir():
        raise UsageError(f"{out} is not empty and was not made by functrace: choose another --out")
    try:
        (out / STATE).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FunctraceError(f"{out}: {error.strerror}") from error


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep a second functrace out of the tree.

    Raises:
        FunctraceError: one is writing to it.
    """
    with open(out / STATE / "lock", "wb") as lock:
        try:
            # Not flock: workers would hold it as well, and for longer than a killed parent.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FunctraceError(f"another functrace is writing to {out}") from None
        yield


def load(out: Path, key: str) -> Manifest:
    """The manifest of the tree; an empty one if there is none that ``key`` fits."""
    try:
        data = json.loads((out / STATE / "manifest.json").read_bytes())
        if data["format"] != _FORMAT or data["key"] != key:
            return Manifest(key, _names_only(data))
        return Manifest(key, {name: _made(entry) for name, entry in data["folders"].items()})
    except (OSError, ValueError, KeyError, TypeError):
        return Manifest(key)


def _names_only(data: dict[str, Any]) -> dict[str, Made]:
    """Enough of a manifest made with other options to know which files are ours to delete."""
    return {n: Made("", dict(e["stamps"]), ()) for n, e in data["folders"].items()}


def _made(entry: dict[str, Any]) -> Made:
    results = tuple(FileResult(**result) for result in entry["results"])
    return Made(entry["key"], {n: tuple(s) for n, s in entry["stamps"].items()}, results)


def save(out: Path, manifest: Manifest) -> None:
    """Write the manifest down.

    Not to the disk itself: that would wait for the whole tree to get there, and
    a manifest that a power failure takes costs no more than a run from scratch.
    """
    folders = {
        name: {"key": m.key, "stamps": m.stamps, "results": [r.counts() for r in m.results]}
        for name, m in manifest.folders.items()
    }
    data = {"format": _FORMAT, "key": manifest.key, "folders": folders}
    write_atomic(out / STATE / "manifest.json", json.dumps(data).encode(), durable=False)


def prune(out: Path, before: Manifest, after: Manifest) -> None:
    """Delete what an earlier run made and this one no longer does."""
    for relative, made in before.folders.items():
        now = after.folders.get(relative)
        for name in made.stamps.keys() - (now.stamps.keys() if now else set()):
            (out / relative / name).unlink(missing_ok=True)
        if now is None:
            _remove_empty(out / relative)


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
