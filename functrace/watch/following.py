"""The rings of running programs: finds them, follows them, and notices their end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TypeVar

from functrace.errors import FunctraceError
from functrace.messages import write_message
from functrace.tracefile.rings import Ring, is_private, is_running, list_rings
from functrace.watch.figures import Figures
from functrace.watch.ring_meter import Clocks, RingMeter
from functrace.watch.ring_rollups import Rolling

_NEW_S = 2.0  # age of a process up to which its first window begins with it
_SETTLE_S = 0.005  # a thread may store an event this long after it reads the clock
_ATTACH_S = 0.5  # per poll, to read what is in rings that were just found
_MAX_FAILURES = 5  # polls after which a ring that cannot be read is given up

_Process = tuple[Path, int, int]  # folder, process id and start
_Result = TypeVar("_Result")


class _State(Enum):
    RUNNING = auto()
    REPLACED = auto()
    """the process has another ring: it has replaced its program"""
    ENDED = auto()


_MEASURES: Mapping[_State, Callable[[RingMeter], Figures]] = {
    _State.RUNNING: RingMeter.measure,
    _State.REPLACED: partial(RingMeter.finish, is_replaced=True),
    _State.ENDED: partial(RingMeter.finish, is_replaced=False),
}


class Following:
    """Measures programs through their rings.

    Args:
        folder: folder of the rings; None for those of this user, and for root those of all users.
        names: names of programs, or patterns of names; empty for all.
        clocks: sources of time.
        report: receives a message about each ring that cannot be followed.
        rolling: how calls are rolled up; None: they are not.

    Raises:
        FunctraceError: the folder is open to other users.
    """

    def __init__(
        self,
        folder: Path | None = None,
        names: Sequence[str] = (),
        clocks: Clocks | None = None,
        report: Callable[[str], None] = write_message,
        rolling: Rolling | None = None,
    ) -> None:
        if folder is not None and folder.exists() and not is_private(folder):
            raise FunctraceError(
                f"{folder}: rings are only read from a folder that belongs to this user and is"
                " closed to others (mode 0700)"
            )
        self._folder = folder
        self._names = names
        self._clocks = clocks or Clocks()
        self._report = report
        self._rolling = rolling
        self._meters: dict[Path, RingMeter] = {}
        self._done: set[Path] = set()
        """rings of processes whose end was seen, and rings that cannot be read"""
        self._failures: dict[Path, int] = {}

    def poll(self) -> list[Figures]:
        """Return the figures of the windows that end now, one per process.

        The first window of a process that was already running begins with the poll that finds it.
        A process that had already ended has one window, which is all that its ring contains.
        """
        rings = {ring.path: ring for ring in sorted(self._rings(), key=lambda ring: ring.number)}
        latest = _latest(rings.values())
        states = {
            meter.ring.path: self._state(meter.ring, rings, latest)
            for meter in self._meters.values()
        }
        states |= self._attach_new(rings, latest)
        for path in states:
            self._guard(path, RingMeter.read)
        self._clocks.sleep(_SETTLE_S)
        figures = [self._guard(path, _MEASURES[state]) for path, state in states.items()]
        for path, state in states.items():
            if state is not _State.RUNNING:
                self._drop(path)
        self._done &= rings.keys()
        self._failures = {path: n for path, n in self._failures.items() if path in rings}
        return [each for each in figures if each is not None]

    def roll_up(self) -> None:
        """Roll up what was counted since the last complete windows."""
        for path in list(self._meters):
            self._guard(path, RingMeter.roll_up)

    def close(self) -> None:
        """Close all rings."""
        for meter in self._meters.values():
            meter.close()
        self._meters.clear()

    def _rings(self) -> Iterator[Ring]:
        try:
            found = list_rings(self._folder)
        except OSError as error:
            self._report(f"cannot list rings: {error}")
            return
        for ring in found:
            if not self._names or any(_matches(ring, name) for name in self._names):
                yield ring

    def _state(
        self, ring: Ring, found: Mapping[Path, Ring], latest: Mapping[_Process, int]
    ) -> _State:
        if ring.path in found:
            is_alive = found[ring.path].is_running
        else:  # its file was removed
            is_alive = is_running(ring.path, ring.pid, ring.start)
        if latest.get(_process_of(ring), 0) > ring.number:
            return _State.REPLACED
        return _State.RUNNING if is_alive else _State.ENDED

    def _attach_new(
        self, rings: Mapping[Path, Ring], latest: Mapping[_Process, int]
    ) -> dict[Path, _State]:
        """Open the rings that were not known, and return those that have a window now."""
        states = {}
        until = self._clocks.monotonic() + _ATTACH_S
        for path, ring in rings.items():
            if path in self._meters or path in self._done or self._clocks.monotonic() > until:
                continue
            state = self._state(ring, rings, latest)
            try:
                self._meters[path] = meter = RingMeter(ring, self._clocks, self._rolling)
            except (OSError, FunctraceError, MemoryError) as error:
                self._note_failure(ring, error)
                continue
            is_old = self._clocks.wall() - meter.started > _NEW_S
            if state is _State.RUNNING and is_old:
                self._guard(path, RingMeter.skip)
            else:
                states[path] = state
        return states

    def _guard(self, path: Path, action: Callable[[RingMeter], _Result]) -> _Result | None:
        """Return the result for a ring's meter; stop following a ring that cannot be read."""
        if path not in self._meters:
            return None
        try:
            return action(self._meters[path])
        except (OSError, FunctraceError, MemoryError) as error:
            self._report(f"{path}: no longer followed: {error}")
            self._drop(path)
            return None

    def _drop(self, path: Path) -> None:
        if path in self._meters:
            self._meters.pop(path).close()
            self._done.add(path)

    def _note_failure(self, ring: Ring, error: Exception) -> None:
        """Note that a ring could not be read. A program may be about to write its header."""
        count = self._failures[ring.path] = self._failures.get(ring.path, 0) + 1
        if count >= _MAX_FAILURES:
            self._done.add(ring.path)
            self._report(f"{ring.path}: not followed: {error}")


def _matches(ring: Ring, name: str) -> bool:
    return name == str(ring.pid) or fnmatchcase(ring.program, name)


def _process_of(ring: Ring) -> _Process:
    return ring.path.parent, ring.pid, ring.start


def _latest(rings: Iterable[Ring]) -> dict[_Process, int]:
    """Return the number of the latest ring of each process."""
    latest: dict[_Process, int] = {}
    for ring in rings:
        process = _process_of(ring)
        latest[process] = max(ring.number, latest.get(process, 0))
    return latest
