"""Upload of bundles to an object store, through fsspec, from a local spool."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from functrace.object_stores import make_folder, open_url
from functrace.watch.bundle import SavedBundle
from functrace.watch.bundle_folder import parse_firing, read_firing
from functrace.watch.bundle_names import WHY, archive_of
from functrace.watch.bundle_store import Retention, prune, remove

_ATTEMPTS = 3
_FIRST_WAIT_S = 1.0
_MAX_REASON = 200


class ObjectStore:
    """A prefix in an object store."""

    def __init__(
        self,
        url: str,
        spool: Path,
        retention: Retention,
        warn: Callable[[str], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.folder = spool
        self._url = url.rstrip("/")
        self._retention = retention
        self._warn = warn
        self._sleep = sleep
        self._system, self._prefix = open_url(self._url, f"storing bundles at {self._url}")

    def keep(self, bundle: SavedBundle) -> str:
        """Upload a bundle and return its URL; if that fails, warn and leave it in the spool."""
        folder = bundle.folder
        name, error = self._attempt(folder)
        for number in range(_ATTEMPTS - 1):
            if not error:
                break
            self._sleep(_FIRST_WAIT_S * 2**number)
            name, error = self._attempt(folder)
        if error:
            self._warn(f"cannot upload to {self._url}: {error}; {folder} is kept for later")
        else:
            remove(folder)
        prune(self.folder, self._retention, time.time())
        return f"{self._url}/{name}"

    def _attempt(self, folder: Path) -> tuple[str, str]:
        """Upload a bundle. Return its name in the store, and why that failed."""
        try:
            name, is_stored = self._find_name(folder)
            if not is_stored:
                self._upload(folder, f"{self._prefix}/{name}")
        except Exception as error:  # noqa: BLE001 -- each file system of fsspec raises its own
            reason = " ".join(str(error).split())[:_MAX_REASON] or type(error).__name__
            return folder.name, reason
        return name, ""

    def _find_name(self, folder: Path) -> tuple[str, bool]:
        """Return the name for a bundle in the store, and whether the bundle is there already.

        A watcher that was killed after an upload saves the bundle again; the first one counts. The
        bundle of another host may have the same name.
        """
        own = read_firing(folder)
        for number in count(1):
            name = f"{folder.name}-{number}" if number > 1 else folder.name
            try:
                content = self._system.cat_file(f"{self._prefix}/{name}/{WHY}")
            except FileNotFoundError:
                return name, False
            if parse_firing(content) == own:
                return name, True
        raise AssertionError("unreachable")

    def _upload(self, folder: Path, target: str) -> None:
        """Upload all files, why.json last: a reader takes a folder that has it for a bundle."""
        make_folder(self._system, target)
        files = sorted(folder.iterdir(), key=lambda path: path.name == WHY)
        for path in files[:-1]:
            self._system.put_file(str(path), f"{target}/{path.name}")
        self._system.put_file(str(archive_of(folder)), f"{target}.zip")
        self._system.put_file(str(files[-1]), f"{target}/{WHY}")
