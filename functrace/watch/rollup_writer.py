"""Writer of rollups: keeps them in the state folder until the store has them."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from functrace import units
from functrace.errors import FunctraceError
from functrace.rollup.layout import TABLES, StoredFile
from functrace.rollup.store import Store
from functrace.rollup.store_files import open_files
from functrace.watch.private_files import write_json
from functrace.watch.ring_rollups import Part

_MAX_KEPT_BYTES = 64 << 20
_MAX_WAITING = 200  # parts that are not in the state folder yet
_RETRY_S = 5.0
_POSITIONS = "positions.json"


class RollupWriter:
    """Thread that writes rollups to a store.

    A rollup is first written to a store in the state folder, then to the store itself, then removed
    from the state folder. A watcher that is started again continues with what is there, and each
    recording at its position. So a rollup is neither lost nor counted twice if the watcher is
    killed. If the store is away, the oldest rollups are dropped beyond 64 MB.

    Args:
        place: folder or URL of the store.
        state: state folder of the watcher.
        report: receives a line for each event.

    Raises:
        FunctraceError: the URL of the store is invalid, or a package that it requires is missing.
    """

    def __init__(self, place: str, state: Path, report: Callable[[str], None]) -> None:
        open_files(place)
        self._place = place
        self._report = report
        self._folder = state / f"rollups-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._kept = Store(str(self._folder / "kept"))
        self._store: Store | None = None
        self._positions = _read_positions(self._folder / _POSITIONS)
        self._parts: queue.Queue[Part] = queue.Queue(_MAX_WAITING)
        self._is_ending = threading.Event()
        self._is_away = False
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="rollups", daemon=True)

    def position(self, ring: str, started: int) -> int:
        """Return the ticks up to which the calls of a ring were rolled up; 0 for none."""
        found = self._positions.get(ring, (0, 0))
        return found[1] if found[0] == started else 0

    def start(self) -> None:
        """Start writing what an earlier watcher has left."""
        self._thread.start()

    def put(self, part: Part) -> None:
        """Write rollups later. They are dropped if there are too many."""
        try:
            self._parts.put_nowait(part)
        except queue.Full:
            self._note_dropped(len(part.rollups))

    def end(self, patience_s: float) -> None:
        """Write what was given; what cannot be written remains in the state folder."""
        self._is_ending.set()
        self._thread.join(patience_s)

    # ---- thread ----

    def _run(self) -> None:
        while not (self._is_ending.is_set() and self._parts.empty()):
            self._keep(self._wait())
            self._send()

    def _wait(self) -> Part | None:
        try:
            return self._parts.get(timeout=0.1 if self._is_ending.is_set() else _RETRY_S)
        except queue.Empty:
            return None

    def _keep(self, part: Part | None) -> None:
        """Write rollups to the state folder, then the position of their recording."""
        if part is None:
            return
        try:
            for rollup in part.rollups:
                self._kept.write(rollup, time.time_ns())
            exist = {ring: each for ring, each in self._positions.items() if Path(ring).exists()}
            self._positions = {**exist, part.ring: (part.started, part.position)}
            write_json(self._folder / _POSITIONS, self._positions)
        except (FunctraceError, OSError) as error:
            self._report(f"cannot keep rollups: {error}")
            self._note_dropped(len(part.rollups))

    def _send(self) -> None:
        """Move the rollups in the state folder to the store."""
        try:
            if self._store is None:
                self._store = Store(self._place)
            for partition in self._kept.partitions():
                for stored, contents in self._kept.read_contents(partition):
                    self._store.put(stored, contents)
                    self._kept.remove(stored)
        except FunctraceError as error:
            if not self._is_away:
                self._report(f"cannot write rollups to {self._place}: {error}; trying again")
            self._is_away = True
            self._drop_oldest()
            return
        if self._is_away:
            self._report(f"writing rollups to {self._place} again")
        self._is_away = False

    def _drop_oldest(self) -> None:
        """Remove the oldest rollups beyond the limit on the state folder."""
        kept = self._kept
        files = [each for part in kept.partitions() for each in kept.list_files(part)]
        size = sum(map(self._size_bytes, files))
        for each in sorted(files, key=lambda each: each.written):
            if size <= _MAX_KEPT_BYTES:
                return
            size -= self._size_bytes(each)
            kept.remove(each)
            self._note_dropped(1)

    def _size_bytes(self, stored: StoredFile) -> int:
        paths = [self._folder / "kept" / stored.path(table) for table in TABLES]
        return sum(path.stat().st_size for path in paths if path.exists())

    def _note_dropped(self, count: int) -> None:
        self._dropped += count
        total = units.several(self._dropped, "rollup")
        self._report(f"{total} dropped so far: the store is away, or too slow")


def _read_positions(path: Path) -> dict[str, tuple[int, int]]:
    try:
        found = json.loads(path.read_bytes())
        return {str(ring): (int(each[0]), int(each[1])) for ring, each in found.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}
