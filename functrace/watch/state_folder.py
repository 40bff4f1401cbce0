"""What a watcher keeps between runs: firings without a bundle yet, and firings of the last days."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from functrace.errors import FunctraceError
from functrace.tracefile.rings import FOLDER_VARIABLE, ring_folders
from functrace.watch.firing import Firing, from_json, to_json
from functrace.watch.private_files import write_json

_PREFIX = "watch-"
_KEPT = 1000
"""Firings that are remembered after their bundles were saved."""


def state_path(destination: str, rings: Path | None) -> Path:
    """Return the folder for a watcher of these rings with this destination.

    It is in the folder of rings: it lives as long as they do, and is as private.
    """
    folders = [rings.absolute()] if rings else _own_folders()
    place = destination if "://" in destination else str(Path(destination).absolute())
    parts = "\0".join([place, *map(str, folders)])
    return folders[0] / f"{_PREFIX}{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


def find_states(rings: Path | None) -> list[Path]:
    """Return the folders of watchers that run now."""
    folders = [rings.absolute()] if rings else _own_folders()
    found = [path for folder in folders for path in sorted(folder.glob(f"{_PREFIX}*"))]
    return [path for path in found if is_locked(path)]


def _own_folders() -> list[Path]:
    if os.environ.get(FOLDER_VARIABLE) or os.geteuid():
        return ring_folders()
    return [Path(parent) / "functrace-0" for parent in ("/dev/shm", tempfile.gettempdir())]


def is_locked(folder: Path) -> bool:
    """Return whether a watcher uses a state folder."""
    try:
        file = os.open(folder / "lock", os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


class StateFolder:
    """State of one watcher.

    A firing is in ``pending/`` from the moment it is decided until its bundle is complete. Whatever
    happens to the watcher in between, the next one saves the bundle again, under the same name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending = path / "pending"
        self._fired = path / "fired.json"
        self._followed = path / "followed.json"

    def create(self) -> None:
        """Create the folder, closed to others.

        Raises:
            FunctraceError: it cannot be created, or others can write to it.
        """
        try:
            for folder in (self.path.parent, self.path, self._pending):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.lstat()
        except OSError as error:
            raise FunctraceError(
                f"{self.path}: {error.strerror}; name another folder for the state with --state"
            ) from None
        if found.st_mode & 0o170077 != 0o040000 or found.st_uid != os.geteuid():
            raise FunctraceError(f"{self.path}: not a folder that only its user can use")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder.

        Raises:
            FunctraceError: another watcher uses it.
        """
        file = os.open(
            self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = os.pread(file, 20, 0).decode(errors="replace").strip()
                raise FunctraceError(
                    f"a watcher of these rings with this output is running already, process {pid};"
                    " stop it, or choose another --out"
                ) from None
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(file)

    def put(self, identifier: str, firing: Firing) -> None:
        """Remember a firing until its bundle is complete."""
        write_json(self._path(identifier), to_json(firing))

    def pending(self) -> dict[str, Firing]:
        """Return the firings without a complete bundle, by identifier; the oldest first."""
        found = {}
        for path in self._pending.glob("*.json"):
            firing = read_firing(path)
            if firing is not None and not path.name.startswith("."):
                found[path.stem] = firing
        return dict(sorted(found.items(), key=lambda each: each[1].at))

    @contextmanager
    def claimed(self, identifier: str) -> Iterator[Firing | None]:
        """Yield a pending firing that nobody else saves meanwhile; None if there is none."""
        try:
            file = os.open(self._path(identifier), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX)  # an earlier watcher's process may still save it
            yield read_firing(self._path(identifier))
        finally:
            os.close(file)

    def finish(self, identifier: str) -> None:
        """Move a firing to those whose bundles are complete."""
        firing = read_firing(self._path(identifier))
        if firing is not None:
            kept = [each for each in self.fired() if each != firing][-_KEPT:]
            write_json(self._fired, [to_json(each) for each in (*kept, firing)])
        self._path(identifier).unlink(missing_ok=True)

    def fired(self) -> list[Firing]:
        """Return the latest firings whose bundles are complete."""
        found = _read(self._fired)
        return [firing for each in found if (firing := _parsed(each))] if found else []

    def follow(self, rings: Collection[str]) -> None:
        """Remember the rings of the processes that run."""
        write_json(self._followed, {"at": time.time(), "rings": sorted(rings)})

    def followed(self) -> tuple[float, frozenset[str]] | None:
        """Return when an earlier watcher last saw which rings; None if there was none."""
        found = _read(self._followed)
        try:
            return float(found["at"]), frozenset(map(str, found["rings"]))
        except (KeyError, TypeError, ValueError):
            return None

    def token(self) -> str:
        """Return the secret that requests over a port must contain; it is made once."""
        path = self.path / "token"
        found = _read(path)
        if isinstance(found, str) and len(found) >= 32:
            return found
        write_json(path, secrets.token_urlsafe(32))
        return str(_read(path))

    def _path(self, identifier: str) -> Path:
        return self._pending / f"{identifier}.json"


def read_firing(path: Path) -> Firing | None:
    """Return the firing in a file; None if there is none."""
    return _parsed(_read(path))


def _parsed(found: Any) -> Firing | None:
    try:
        return from_json(found)
    except ValueError:
        return None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
