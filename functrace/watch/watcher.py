"""The loop of the watcher: measure, decide, remember, hand over to the saver."""

from __future__ import annotations

import fnmatch
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from functrace.errors import FunctraceError
from functrace.watch.config import Config
from functrace.watch.decider import Decider
from functrace.watch.faults import Fault, identify
from functrace.watch.figures import Figures, RingProcess
from functrace.watch.firing import JSON, Firing, to_json
from functrace.watch.saver import Result, Saver
from functrace.watch.saving import Job
from functrace.watch.state_folder import StateFolder

WINDOW_S = 1.0
_PATIENCE_S = 30.0
_KEPT_BUNDLES = 100


class Following(Protocol):
    """What measures the programs."""

    def poll(self) -> Iterable[Figures]:
        """Return the windows that ended since the last call."""
        ...


class Counting(Protocol):
    """What counts for scrapes of metrics."""

    def observe(self, figures: Figures) -> None:
        """Add the window of a process."""
        ...

    def count_firing(self, service: str, trigger: str) -> None:
        """Count the firing of a trigger."""
        ...

    def count_bundle(self, service: str, *, saved: bool) -> None:
        """Count a bundle that was saved, or that could not be."""
        ...

    def set_failed_notices(self, count: int) -> None:
        """Set the number of receivers that could not be notified."""
        ...


@dataclass
class Asked:
    """Request for bundles of the processes of a name, process id or group."""

    target: str
    done: threading.Event = field(default_factory=threading.Event)
    identifiers: list[str] = field(default_factory=list)
    error: str | None = None


@dataclass
class _Bundle:
    """Bundle of this run of the watcher."""

    id: str
    firing: Firing
    state: str = "pending"
    place: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """State of the watcher after a window, for ``--status`` and the API."""

    at: float
    processes: list[dict[str, JSON]]
    triggers: list[Mapping[str, object]]
    bundles: list[dict[str, JSON]]


class Watcher:
    """A watcher.

    Args:
        following: measures the programs.
        config: the configuration.
        destination: folder or URL of the bundles.
        state: its state folder, which is locked.
        report: receives a line for each event.
        load: reads the configuration again.
        metrics: counts for scrapes.
    """

    def __init__(
        self,
        following: Following,
        config: Config,
        destination: str,
        state: StateFolder,
        report: Callable[[str], None],
        load: Callable[[], Config] | None = None,
        metrics: Counting | None = None,
    ) -> None:
        self._following = following
        self._config = config
        self._destination = destination
        self._state = state
        self._report = report
        self._load = load
        self._metrics = metrics
        self._failed_notices = 0
        pending = state.pending()
        self._decider = Decider(config, [*state.fired(), *pending.values()])
        self._before = state.followed()
        self._since = time.time()
        self._followed: frozenset[str] = frozenset()
        self._bundles: deque[_Bundle] = deque(maxlen=_KEPT_BUNDLES)
        self._asked: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._saver = Saver(self._results.put)
        self._end = threading.Event()
        self._should_reload = False
        self.snapshot = Snapshot(self._since, [], [], [])
        for identifier, firing in pending.items():
            self._save(identifier, firing)

    def end(self) -> None:
        """End the loop after the current window."""
        self._end.set()

    def reload(self) -> None:
        """Read the configuration again before the next window."""
        self._should_reload = True

    def ask(self, asked: Asked) -> None:
        """Save bundles by hand; ``asked.done`` is set once they are pending."""
        self._asked.put(asked)

    def start(self) -> None:
        """Start saving what is pending."""
        self._saver.start()

    def run(self) -> None:
        """Run until :meth:`end`. What is pending then, the next watcher saves."""
        try:
            while not self._end.is_set():
                began = time.monotonic()
                self.step()
                self._end.wait(max(0.0, WINDOW_S - (time.monotonic() - began)))
        finally:
            for fault in self._decider.flush():
                self._save(fault.id, self._hold(fault))
            self._saver.end(_PATIENCE_S)
            self._take_results()

    def step(self) -> None:
        """Take in the windows that ended."""
        if self._should_reload:
            self._should_reload = False
            self._reload()
        for figures in self._following.poll():
            self._observe(figures)
        answered = self._take_requests()
        self._take_results()
        self._remember()
        self._publish()
        for asked in answered:
            asked.done.set()

    def _observe(self, figures: Figures) -> None:
        process = figures.process
        key = str(process.ring)
        if self._metrics is not None:
            self._metrics.observe(figures)
        if key not in self._followed:
            if figures.ended is not None and not self._is_news(figures):
                return
            if figures.ended is None:
                self._report(f"following {process.name} ({process.pid}), {process.ring}")
        decision = self._decider.decide(figures)
        for fault in decision.held:
            self._hold(fault)
        for fault in decision.settled:
            firing = self._hold(fault)
            self._report(f"{process.name} ({process.pid}): {firing.trigger}: {firing.summary}")
            self._save(fault.id, firing)
            if self._metrics is not None:
                self._metrics.count_firing(process.name, firing.trigger)
        for note in decision.notes:
            self._report(note)
        if figures.ended is not None and key in self._followed:
            self._report(f"{process.name} ({process.pid}) has ended: {figures.ended}")

    def _is_news(self, figures: Figures) -> bool:
        """Return whether a process that was never seen running ended while somebody watched."""
        if self._before is None:
            return figures.end - figures.seconds > self._since
        at, rings = self._before
        ring = figures.process.ring
        try:
            return str(ring) in rings or ring.stat().st_ctime > at
        except OSError:  # it was removed
            return False

    def _hold(self, fault: Fault) -> Firing:
        firing = fault.firing()
        self._state.put(fault.id, firing)
        return firing

    def _save(self, identifier: str, firing: Firing) -> None:
        self._bundles.append(_Bundle(identifier, firing))
        self._saver.add(Job(self._state.path, identifier, self._destination, self._config))

    def _take_results(self) -> None:
        while not self._results.empty():
            result = self._results.get()
            if result.error is not None:
                what = "a bundle is lost" if result.is_final else "trying again later"
                self._report(f"cannot save a bundle: {result.error}; {what}")
            elif result.place is not None:
                self._report(f"saved {result.place}")
            for bundle in self._bundles:
                if bundle.id == result.identifier:
                    bundle.state = "failed" if result.error else "saved"
                    bundle.place = result.place or result.error
                    self._count(bundle.firing.process.name, result)

    def _count(self, service: str, result: Result) -> None:
        if self._metrics is not None:
            self._failed_notices += result.failed_notices
            self._metrics.count_bundle(service, saved=result.error is None)
            self._metrics.set_failed_notices(self._failed_notices)

    def _take_requests(self) -> list[Asked]:
        answered = []
        while not self._asked.empty():
            asked = self._asked.get()
            found = self._find(asked.target)
            if not found:
                asked.error = f"{asked.target}: no process or group of this name is followed"
            now = time.time()
            for process in found:
                identifier = identify(process, now)
                firing = self._decider.by_hand(process, now)
                self._state.put(identifier, firing)
                self._report(f"{process.name} ({process.pid}): {firing.summary}")
                self._save(identifier, firing)
                asked.identifiers.append(identifier)
            answered.append(asked)
        return answered

    def _find(self, target: str) -> list[RingProcess]:
        processes = [figures.process for figures in self._decider.processes()]
        return [
            process
            for process in processes
            if target in (str(process.pid), self._decider.group_of(process))
            or fnmatch.fnmatchcase(process.name, target)
        ]

    def _reload(self) -> None:
        if self._load is None:
            self._report("there is no configuration to read again; start with --config")
            return
        try:
            self._config = self._load()
        except FunctraceError as error:
            for line in error.args:
                self._report(str(line))
            self._report("the configuration is invalid; the one before stays in use")
            return
        self._decider.reconfigure(self._config)
        self._report("the configuration was read again")

    def _remember(self) -> None:
        rings = frozenset(str(figures.process.ring) for figures in self._decider.processes())
        self._state.follow(rings)
        self._followed = rings

    def _publish(self) -> None:
        now = time.time()
        processes: list[dict[str, JSON]] = [
            {
                "name": figures.process.name,
                "pid": figures.process.pid,
                "group": self._decider.group_of(figures.process),
                "language": figures.process.language,
                "ring": str(figures.process.ring),
                "calls_per_second": figures.calls / figures.seconds if figures.seconds else 0.0,
                "failed_per_second": figures.failed / figures.seconds if figures.seconds else 0.0,
                "cpu_cores": figures.cpu_cores,
                "rss_bytes": figures.rss_bytes,
                "memory_limit_bytes": figures.memory_limit_bytes,
                "threads": figures.threads,
                "live_tracks": figures.live_tracks,
                "is_incomplete": figures.is_incomplete,
            }
            for figures in self._decider.processes()
        ]
        standings = list(self._decider.standings(now))
        bundles: list[dict[str, JSON]] = [
            {**vars(bundle), "firing": to_json(bundle.firing)} for bundle in self._bundles
        ]
        self.snapshot = Snapshot(now, processes, standings, bundles)
