"""Where bundles go: a folder with a disk budget, or an object store with a local spool."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from functrace.errors import FunctraceError
from functrace.watch.bundle import SavedBundle
from functrace.watch.bundle_folder import read_firing
from functrace.watch.bundle_names import archive_of, bundle_time, is_bundle_name

_REMOVED = ".removed"


@dataclass(frozen=True)
class Retention:
    """Which bundles a folder keeps; the newest always stays.

    Attributes:
        max_bytes: their size with their zip files; the oldest are removed beyond it.
        max_age_s: older ones are removed.
    """

    max_bytes: int = 10_000_000_000
    max_age_s: float = 30 * 86_400


class BundleStore(Protocol):
    """Destination of bundles.

    Attributes:
        folder: local folder in which bundles are saved.
    """

    @property
    def folder(self) -> Path:
        """Return the folder in which bundles are saved."""

    def keep(self, bundle: SavedBundle) -> str:
        """Store a finished bundle and return its location.

        A bundle that could not be stored remains in the folder, to be kept again.
        """


class FolderStore:
    """A folder of bundles."""

    def __init__(self, folder: Path, retention: Retention) -> None:
        self.folder = folder
        self._retention = retention

    def keep(self, bundle: SavedBundle) -> str:
        """Remove old bundles and return the bundle's path."""
        prune(self.folder, self._retention, time.time())
        return str(bundle.folder.absolute())


def open_store(
    destination: str, retention: Retention, spool: Path, warn: Callable[[str], None]
) -> BundleStore:
    """Return the store for a folder or for a URL such as ``s3://bucket/prefix``.

    Args:
        destination: path or URL.
        retention: of the folder, or of the spool of an object store.
        spool: folder for bundles that have not been uploaded yet.
        warn: receives a sentence when the object store cannot be reached.

    Raises:
        FunctraceError: a package that the URL requires is missing, or the URL is invalid.
    """
    if "://" not in destination:
        return FolderStore(Path(destination), retention)
    from functrace.watch.object_store import ObjectStore  # late: it loads an extra

    return ObjectStore(destination, spool, retention, warn)


def list_finished(folder: Path) -> list[Path]:
    """Return the finished bundles in a folder, oldest first."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if is_bundle_name(path.name)]
    finished = [path for path in found if read_firing(path) and archive_of(path).is_file()]
    return sorted(finished, key=lambda path: (bundle_time(path.name), path.name))


def prune(folder: Path, retention: Retention, now: float) -> int:
    """Remove the oldest bundles beyond the limits and return their number."""
    if not folder.is_dir():
        return 0
    for left in folder.glob(f".*{_REMOVED}"):
        name = left.name[1 : -len(_REMOVED)]
        if is_bundle_name(name):
            shutil.rmtree(left, ignore_errors=True)
            archive_of(left.with_name(name)).unlink(missing_ok=True)
    bundles = list_finished(folder)
    sizes = [_size(path) for path in bundles]
    excess = sum(sizes) - retention.max_bytes
    removed = 0
    for path, size in zip(bundles[:-1], sizes, strict=False):
        firing = read_firing(path)
        is_old = firing is not None and firing.at < now - retention.max_age_s
        if excess > 0 or is_old:
            remove(path)
            excess -= size
            removed += 1
    return removed


def remove(folder: Path) -> None:
    """Remove a finished bundle. One that is half removed is no bundle.

    Raises:
        FunctraceError: the system does not permit it.
    """
    hidden = folder.with_name(f".{folder.name}{_REMOVED}")
    try:
        folder.rename(hidden)
        archive_of(folder).unlink(missing_ok=True)
        shutil.rmtree(hidden)
    except OSError as error:
        raise FunctraceError(f"{folder}: {error.strerror}") from None


def _size(folder: Path) -> int:
    try:
        return sum(path.lstat().st_size for path in (*folder.iterdir(), archive_of(folder)))
    except FileNotFoundError:  # somebody removes it at this moment
        return 0
