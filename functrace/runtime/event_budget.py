"""Overhead budget of the recorder in Python, as in functrace/_native/recorder/budget.c.

A demoted function is *draining* first: its events stay, and its calls are kept on the stacks
without being written, so that each exit is matched with its entry. It is *silent*, without events,
once no call of it is open. A watched function needs its events: it stays draining.
"""

from __future__ import annotations

from collections.abc import Callable

from functrace.runtime import BUILTINS
from functrace.runtime.call_stacks import Call, Track
from functrace.runtime.chunk_tally import ChunkTally, FunctionTally
from functrace.runtime.code_info import CODE_INFOS, DRAINING, RECORDED, SILENT, CodeInfo
from functrace.runtime.event_source import EventSource
from functrace.runtime.system import TICKS_PER_SECOND, clock, time
from functrace.runtime.trace_file import HEAD_WORDS, TraceFile

globals()["__builtins__"] = BUILTINS

_MIN_INTERVAL_NS = 5_000_000  # of CPU time between two evaluations
_IDLE_SHARE = 30  # a program that uses less of a processor counts as using this part
_MIN_EVENTS = 8  # in the sample: functions with fewer cost next to nothing
_MAX_RECORDS = 10_000
_MAX_WAIT_S = 600
_SCAN_PAUSE = 500  # times the duration of a search for open calls
_CLOCK_READS_PER_EVENT = 30  # that many reads of the clock cost as much as an event
_IS_DEMOTED, _IS_MUTE = 1, 2  # in a record's value
_TARGET, _PROMOTE_BELOW = 0.8, 0.5  # of the budget
_MAX_RATE = (1 << 32) - 1


class EventBudget:
    """Keeps the cost of events below a share of the process's CPU time.

    Args:
        share: the share.
        file: the trace.
        source: the source of the events.
        open_tracks: returns all tracks that have open calls.
    """

    def __init__(
        self,
        share: float,
        file: TraceFile,
        source: EventSource,
        open_tracks: Callable[[], list[Track]],
    ) -> None:
        self._budget = share
        self._file = file
        self._source = source
        self._open_tracks = open_tracks
        self._event_ns = _measure_clock_ns() * _CLOCK_READS_PER_EVENT
        self._records = 0
        self._next_scan = 0
        self._low_since = 0  # when the share fell below half of the budget; 0 if it has not
        self._demoted: list[CodeInfo] = []
        self.restart()

    def restart(self) -> None:
        """Ignore the CPU time until now, during which nothing was recorded."""
        self._cpu_at = time.process_time_ns()
        self._time_at = time.monotonic_ns()
        self._words = 0

    def count_chunk(self, words: memoryview, used: int) -> None:
        """Count a full chunk, and demote or promote functions if it is time for that."""
        if used <= HEAD_WORDS:
            return
        self._words += used - HEAD_WORDS
        now, time_now = time.process_time_ns(), time.monotonic_ns()
        cpu = now - self._cpu_at
        if cpu < _MIN_INTERVAL_NS:
            return
        cpu = max(cpu, (time_now - self._time_at) // _IDLE_SHARE)
        tally = ChunkTally(words, used)
        share = self._words * tally.events / tally.words * self._event_ns / cpu
        self._cpu_at, self._time_at, self._words = now, time_now, 0
        if share > self._budget:
            self._demote_some(share, tally)
        if share >= _PROMOTE_BELOW * self._budget:
            self._low_since = 0
        else:
            self._low_since = self._low_since or clock()
            self._promote_some(share)

    def silence(self, leaving: Call) -> None:
        """End the events of draining functions without open calls, not counting ``leaving``."""
        began = clock()
        if began < self._next_scan:
            return
        draining = [info for info in self._demoted if info.state == DRAINING]
        for info in draining:
            info.state = SILENT  # first, so that a call that another thread begins is noticed
        tracks = self._open_tracks()
        opened = {
            call.info for track in tracks for call in list(track.stack) if call is not leaving
        }
        for info in draining:
            if info in opened:
                info.state = DRAINING
            elif info.on_call is None and info.on_return is None:
                self._update_events(info)
        ended = clock()
        self._next_scan = ended + _SCAN_PAUSE * (ended - began)

    def keep_events(self, info: CodeInfo) -> None:
        """Return a function to draining: a call began while its events were ended."""
        info.state = DRAINING
        self._update_events(info)

    def _demote_some(self, share: float, tally: ChunkTally) -> None:
        """Demote functions, those with most events first, until the others fit into the budget."""
        numbered = {i.number: i for i in list(CODE_INFOS.values()) if i.number}
        by_events = sorted(tally.functions.items(), key=lambda item: -item[1].events)
        projected = share
        for number, function in by_events:
            if projected <= _TARGET * self._budget:
                return
            info = numbered.get(number)
            if info is None or info.is_mute or not self._costs_too_much(function):
                continue
            if info.state == RECORDED:
                for same in numbered.values():
                    if (same.name, same.file, same.state) == (info.name, info.file, RECORDED):
                        self._demote(same, share, tally)
            else:  # its failures are all that it has in the trace
                info.is_mute = True
                self._put_record(info)
            projected -= share * function.events / tally.events

    def _costs_too_much(self, function: FunctionTally) -> bool:
        """Return whether recording a function costs more than the budget allows for its own time.

        False if there are too few events to tell.
        """
        costs = function.events * self._event_ns
        return function.events >= _MIN_EVENTS and costs > self._budget * function.own_ticks

    def _demote(self, info: CodeInfo, share: float, tally: ChunkTally) -> None:
        function = tally.functions.get(info.number) or FunctionTally()
        info.demotions += 1
        info.share = share * function.events / tally.events
        rate = function.entries * TICKS_PER_SECOND // max(1, tally.ticks)
        info.calls_per_second = min(rate, _MAX_RATE)
        info.promotable_at = clock() + _wait(info)
        info.state = DRAINING
        self._demoted.append(info)
        self._put_record(info)

    def _promote_some(self, share: float) -> None:
        """Promote functions whose cost, as last known, fits into the budget.

        Do nothing before the share has been low for a second. The others wait again: half of the
        cost is assumed then, since the program may have changed.
        """
        space = _TARGET * self._budget - share
        now = clock()
        if now - self._low_since < TICKS_PER_SECOND:
            return
        ready = [info for info in self._demoted if info.promotable_at <= now]
        for info in sorted(ready, key=lambda info: info.share):
            if self._records >= _MAX_RECORDS:
                return
            if info.share > space:
                info.share /= 2
                info.promotable_at = now + _wait(info)
            else:
                space -= info.share
                self._promote(info)

    def _promote(self, info: CodeInfo) -> None:
        self._demoted.remove(info)
        info.state, info.is_mute = RECORDED, False
        self._update_events(info)
        self._put_record(info)

    def _update_events(self, info: CodeInfo) -> None:
        code = info.code()
        if code is not None:
            self._source.add(code)

    def _put_record(self, info: CodeInfo) -> None:
        if self._records < _MAX_RECORDS:
            self._records += 1
            value = 0 if info.state == RECORDED else _IS_DEMOTED
            value |= _IS_MUTE if info.is_mute else 0
            self._file.add_demotion(info.number, value, clock(), info.calls_per_second)


def _wait(info: CodeInfo) -> int:
    """Return how long a demoted function waits for its promotion, in ticks."""
    return int(min(1 << min(info.demotions - 1, 10), _MAX_WAIT_S)) * TICKS_PER_SECOND


def _measure_clock_ns() -> float:
    """Return the cost of reading the clock: the fastest of several stretches."""
    reads = 20
    best = 1 << 60
    for _ in range(10):
        began = ended = clock()
        for _ in range(reads):
            ended = clock()
        best = min(best, ended - began)
    return best / reads
