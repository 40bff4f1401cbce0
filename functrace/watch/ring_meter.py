"""Figures of one process from its ring, window by window."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from functrace.tracefile.chain_follower import ChainFollower, ChainWindow
from functrace.tracefile.rings import Ring
from functrace.tracefile.scan import Rows
from functrace.watch.figures import (
    CHAIN_FIGURES,
    OTHER_TEXTS,
    ChainNames,
    ErrorText,
    Figures,
    OpenCall,
    RingProcess,
)
from functrace.watch.process_figures import ProcessFigures, ProcessMeter
from functrace.watch.ring_rollups import RingRollups, Rolling

_MAX_ROUNDS = 20  # of reading in a window: more than a ring of the usual size has
_MIN_WORDS = 4_096  # in a round, after which another one is worth it
_MIN_SECONDS = 0.001  # length of a window
_MAX_TEXTS = 8  # of a chain in a window
_MAX_OPEN_CALLS = 100


@dataclass(frozen=True)
class Clocks:
    """Sources of time in seconds, and a way to let it pass."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class RingMeter:
    """Meter of the process of one ring. Its first window begins where the process began its trace.

    Args:
        ring: the ring.
        clocks: sources of time.
        rolling: how its calls are rolled up; None: they are not.

    Raises:
        OSError: the ring cannot be read.
        FunctraceError: the ring is not a trace of this version of the format.
    """

    def __init__(self, ring: Ring, clocks: Clocks, rolling: Rolling | None = None) -> None:
        self._follower = ChainFollower(ring.path)
        self._rollups = RingRollups(self._follower, rolling) if rolling else None
        header = self._follower.header
        self.ring = ring
        self.started = header.started / 1e9
        """Unix time at which the process began its trace"""
        self._process = RingProcess(
            ring.program, ring.pid, str(ring.start), ring.path, header.language
        )
        self._clocks = clocks
        self._meter = ProcessMeter(ring.pid, ring.start, clocks.monotonic)
        self._parents: list[int] = []
        self._functions: list[int] = []
        self._started: list[int] = []
        self._names = ChainNames(
            self._parents, self._functions, self._started, self._follower.functions
        )
        self._lost = 0
        age = max(clocks.wall() - self.started, _MIN_SECONDS)
        self._began = clocks.monotonic() - age
        # The time since the start of the trace was _age_ns at _aged_at, when _last_ticks was new.
        self._last_ticks, self._age_ns, self._aged_at = -1, int(age * 1e9), clocks.monotonic()

    def skip(self) -> None:
        """Read what the ring contains. Calls that ended until now are in no window."""
        self.read()
        self._follower.flush()
        self._query()
        self._lost = self._follower.overwritten
        self._began = self._clocks.monotonic()

    def read(self) -> None:
        """Read what is new, and process what was read before.

        If a program writes faster than it can be read, older events are given up.
        """
        for _ in range(_MAX_ROUNDS):
            count = self._follower.advance()
            self._note_age()
            if count < _MIN_WORDS:
                return
        self._follower.drop_unread()

    def measure(self) -> Figures:
        """Return the figures of the window that ends now, and begin the next one."""
        self.read()
        return self._figures(self._meter.measure(), None)

    def finish(self, *, is_replaced: bool) -> Figures:
        """Return the figures of the last window of a process that has ended.

        Args:
            is_replaced: whether the process has replaced its program.
        """
        follower = self._follower
        while follower.advance():
            self._note_age()
        follower.flush()
        was_killed = follower.ending is not None and follower.ending.signal is not None
        is_clean = follower.ended_cleanly or is_replaced
        ended = "clean" if is_clean else "killed" if was_killed else "died"
        figures = self._figures(ProcessFigures(), ended)
        if self._rollups:
            follower.end_calls()
            self._query()
            self._rollups.end(follower.clock.nanosecond(follower.last_ticks))
        return figures

    def roll_up(self) -> None:
        """Roll up what was counted so far: the watcher ends."""
        if self._rollups:
            self._rollups.end(self._age())

    def close(self) -> None:
        """Close the ring."""
        self._follower.close()

    def _note_age(self) -> None:
        follower = self._follower
        if follower.last_ticks > self._last_ticks:
            age_ns = follower.clock.nanosecond(follower.last_ticks)
            is_first = self._last_ticks < 0  # it may have been long ago
            self._last_ticks = follower.last_ticks
            self._age_ns = max(age_ns, self._age() if is_first else 0)
            self._aged_at = self._clocks.monotonic()

    def _age(self) -> int:
        """Return the nanoseconds since the start of the trace."""
        return self._age_ns + int((self._clocks.monotonic() - self._aged_at) * 1e9)

    def _figures(self, process: ProcessFigures, ended: str | None) -> Figures:
        window = self._query()
        lost = self._follower.overwritten
        is_incomplete = lost > self._lost
        self._lost = max(lost, self._lost)
        now = self._clocks.monotonic()
        seconds = max(now - self._began, _MIN_SECONDS)
        self._began = now
        return Figures(
            process=self._process,
            names=self._names,
            end=self._clocks.wall(),
            seconds=seconds,
            cpu_cores=process.cpu_cores,
            rss_bytes=process.rss_bytes,
            memory_limit_bytes=process.memory_limit_bytes,
            threads=process.threads,
            live_tracks=window.live_tracks,
            calls=int(window.figures["calls"].sum()),
            failed=int(window.figures["failed"].sum()),
            is_incomplete=is_incomplete,
            chains=self._chains(window.figures),
            durations=window.blocks,
            clock=self._follower.clock,
            errors=list(_errors(window)),
            open_calls=self._open_calls(window.open),
            ended=ended,
        )

    def _query(self) -> ChainWindow:
        """Return what the follower has folded since the last call."""
        window = self._follower.window()
        self._add_chains(window)
        if self._rollups:
            self._rollups.add(window, self._age())
        return window

    def _add_chains(self, window: ChainWindow) -> None:
        self._parents.extend(window.new_chains["parent"].tolist())
        self._functions.extend(window.new_chains["function"].tolist())
        self._started.extend(window.new_chains["started"].tolist())

    def _chains(self, figures: Rows) -> Rows:
        nanoseconds = self._follower.clock.nanoseconds
        rows = np.zeros(len(figures), CHAIN_FIGURES)
        for name in ("chain", "calls", "failed", "panicked", "unfinished"):
            rows[name] = figures[name]
        rows["total_ns"] = nanoseconds(figures["total"])
        rows["max_ns"] = nanoseconds(figures["max"])
        return rows

    def _open_calls(self, rows: Rows) -> list[OpenCall]:
        age = self._age()
        longest = rows[np.argsort(rows["start"], kind="stable")[:_MAX_OPEN_CALLS]]
        starts = self._follower.clock.nanoseconds(longest["start"])
        return [
            OpenCall(
                int(row["chain"]), int(row["track"]), max(age - start, 0), bool(row["suspended"])
            )
            for row, start in zip(longest, starts.tolist(), strict=True)
        ]


def _errors(window: ChainWindow) -> Iterator[ErrorText]:
    """Yield the most frequent texts of each chain, then the sum of its others."""
    rows = window.failures[np.lexsort((-window.failures["calls"], window.failures["chain"]))]
    for chain in np.unique(rows["chain"]).tolist():
        first, end = np.searchsorted(rows["chain"], [chain, chain + 1])
        others: Counter[bool] = Counter()
        for place, row in enumerate(rows[first:end]):
            text, panicked = window.text(row), bool(row["panicked"])
            if text is None or place >= _MAX_TEXTS:
                others[panicked] += int(row["calls"])
            else:
                yield ErrorText(chain, text, int(row["calls"]), panicked)
        for panicked, calls in others.items():
            yield ErrorText(chain, OTHER_TEXTS, calls, panicked)
