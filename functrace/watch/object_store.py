"""Upload of bundles to an object store, through fsspec, from a local spool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from functrace import extras
from functrace.errors import FunctraceError
from functrace.watch.bundle import SavedBundle
from functrace.watch.bundle_folder import parse_firing, read_firing
from functrace.watch.bundle_names import WHY, archive_of
from functrace.watch.bundle_store import Retention, list_finished, prune, remove

_ATTEMPTS = 3
_FIRST_WAIT_S = 1.0
_MAX_PAUSE_S = 300.0
# botocore waits for minutes by default; failed uploads are tried again here.
_S3_LIMITS = {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 1}}
_OPTIONS: dict[str, dict[str, Any]] = {"s3": {"config_kwargs": _S3_LIMITS}}


class ObjectStore:
    """A prefix in an object store.

    Bundles that cannot be uploaded stay in the spool and are tried again, after pauses that double.
    """

    def __init__(
        self,
        url: str,
        spool: Path,
        retention: Retention,
        warn: Callable[[str], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = spool
        self._url = url.rstrip("/")
        self._retention = retention
        self._warn = warn
        self._sleep = sleep
        self._clock = clock
        self._system, self._prefix = _open(self._url)
        self._pause_s = 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def keep(self, bundle: SavedBundle) -> str:
        """Upload a bundle and return its URL; if that fails, leave it in the spool."""
        with self._lock:
            name = self._upload_with_retries(bundle.folder)
            prune(self.folder, self._retention, time.time())
        return f"{self._url}/{name or bundle.folder.name}"

    def retry(self) -> None:
        """Upload what is in the spool, unless the store failed a moment ago."""
        if self._clock() < self._next:
            return
        with self._lock:
            for folder in list_finished(self.folder):
                if not self._attempt(folder):
                    return

    def _upload_with_retries(self, folder: Path) -> str | None:
        if self._clock() < self._next:
            return None
        for number in range(_ATTEMPTS):
            if number:
                self._sleep(_FIRST_WAIT_S * 2 ** (number - 1))
            if name := self._attempt(folder):
                return name
        return None

    def _attempt(self, folder: Path) -> str | None:
        """Upload a bundle and remove it from the spool. Return its name in the store."""
        try:
            name, is_stored = self._find_name(folder)
            if not is_stored:
                self._upload(folder, f"{self._prefix}/{name}")
        except Exception as error:  # noqa: BLE001 -- each file system of fsspec raises its own
            self._fail(folder, error)
            return None
        remove(folder)
        self._pause_s = self._next = 0.0
        return name

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
        self._system.makedirs(target, exist_ok=True)
        files = sorted(folder.iterdir(), key=lambda path: path.name == WHY)
        for path in files[:-1]:
            self._system.put_file(str(path), f"{target}/{path.name}")
        self._system.put_file(str(archive_of(folder)), f"{target}.zip")
        self._system.put_file(str(files[-1]), f"{target}/{WHY}")

    def _fail(self, folder: Path, error: Exception) -> None:
        if not self._pause_s:  # one message until an upload succeeds
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            self._warn(f"cannot upload to {self._url}: {reason}; {folder} is kept for later")
        self._pause_s = min(max(2 * self._pause_s, _FIRST_WAIT_S), _MAX_PAUSE_S)
        self._next = self._clock() + self._pause_s


def _open(url: str) -> tuple[Any, str]:
    extras.require("fsspec", "watch", f"storing bundles at {url}")
    import fsspec

    protocol = url.partition("://")[0]
    extra = "s3" if protocol == "s3" else "watch"
    try:
        system, prefix = fsspec.core.url_to_fs(url, **_OPTIONS.get(protocol, {}))
    except ImportError as error:
        raise FunctraceError(
            f"{url}: {error}; functrace has it in an extra: {extras.install_command(extra)}"
        ) from None
    except ValueError as error:
        raise FunctraceError(f"{url}: {error}") from None
    return system, prefix.rstrip("/")
