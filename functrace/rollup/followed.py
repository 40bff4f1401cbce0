"""Rollups of a trace that is being followed, as soon as their windows have passed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from functrace.rollup.chain_ids import NO_PARENT, chain_id
from functrace.rollup.duration_buckets import Buckets
from functrace.rollup.error_texts import ErrorText, error_text, summarized
from functrace.rollup.figures import ChainFigures, Example, merged
from functrace.rollup.gaps import FollowedGaps
from functrace.rollup.labels import labels_of, part_id, recording_id
from functrace.rollup.rolled_rows import WindowRows
from functrace.rollup.rollup import HOUR_NS, Chain, Coverage, Rollup
from functrace.tracefile import Demotion
from functrace.tracefile import format as fmt
from functrace.tracefile.chain_follower import MAX_CHAINS, ChainFollower, ChainWindow
from functrace.tracefile.facts import encodable
from functrace.tracefile.programs import RecordedProcess

OTHER_CHAINS = "(other chains)"
"""Function of the calls whose chains are beyond the limit on the chains of a process."""
_MAX_BEHIND = 366 * 24 * 60  # windows that have passed when a trace is found
_AHEAD = (
    20_000  # windows that may pass until the next ones are counted, as on a machine that sleeps
)
_MAX_TEXTS = 1000  # of a chain in a window; further ones count as unknown
_MAX_KNOWN = 10_000


@dataclass
class _Window:
    """What was counted in a window that has not been returned yet."""

    rows: WindowRows = field(default_factory=WindowRows)
    texts: defaultdict[int, Counter[ErrorText]] = field(
        default_factory=lambda: defaultdict(Counter)
    )


class FollowedRollups:
    """Rollups of one trace while it grows.

    Args:
        follower: the follower, which has read nothing yet.
        width_ns: length of a window, of which an hour has a whole number.
        position: ticks; calls that ended before do not count: they are in earlier rollups.
    """

    def __init__(self, follower: ChainFollower, width_ns: int, position: int = 0) -> None:
        self.position = position
        """ticks up to which calls are in the rollups that were returned"""
        self._follower = follower
        self._started = follower.header.started
        self._width = width_ns
        self._begin = position
        self._ids: list[bytes] = []
        self._definitions: dict[bytes, Chain] = {}
        self._known: dict[tuple[str, bool], ErrorText] = {}
        self._windows: defaultdict[int, _Window] = defaultdict(_Window)
        self._gaps = FollowedGaps(follower, width_ns)
        begin_ns = self._started + follower.clock.nanosecond(position)
        self._count_from(begin_ns // width_ns * width_ns, _MAX_BEHIND)

    @property
    def recording(self) -> str:
        """Id of the recording."""
        return recording_id(self._process())

    def ends_by(self, time_ns: int) -> bool:
        """Return whether a window with calls may have ended by a time, nanoseconds since 1970."""
        return time_ns >= self._first + self._width

    def add(self, window: ChainWindow, age_ns: int) -> None:
        """Take in what the follower has folded since the last call.

        Args:
            window: result of ChainFollower.window().
            age_ns: time since the start of the trace up to which all that is stored was read.
        """
        self._add_chains(window)
        self._gaps.note_losses(self._end, age_ns)
        for row in window.failures[window.failures["window"] >= 0]:
            text = window.text(row)
            if text is None:
                continue
            texts = self._windows[self._start(int(row["window"]))].texts[int(row["chain"])]
            known = self._error_text(text, bool(row["panicked"]))
            if known in texts or len(texts) < _MAX_TEXTS:
                texts[known] += int(row["calls"])

    def pop_ended(self, until_ns: int, age_ns: int) -> list[Rollup]:
        """Return the rollups of the windows that have ended, one for each hour.

        Windows in which no call ended are included if something is missing from them. add() must
        have been called since the last events were read.

        Args:
            until_ns: nanoseconds since 1970, up to which all calls that ended were counted.
            age_ns: the same as for add().
        """
        until_ns = until_ns // self._width * self._width
        starts = {start for start in self._counted() if start < until_ns}
        found = self._pop(starts | self._gaps.windows(self._first, until_ns), age_ns)
        self.position = max(self._ticks(until_ns), self.position)
        self._count_from(max(until_ns, self._first), 0)
        return found

    def pop_all(self, age_ns: int) -> list[Rollup]:
        """Return the rollups of all windows: the follower is at its end, or is given up."""
        end_ns = self._started + age_ns + self._width
        gaps = self._gaps.windows(self._first, end_ns // self._width * self._width)
        found = self._pop({*self._counted(), *gaps}, age_ns)
        self.position = max(self._follower.walked_ticks + 1, self.position)
        return found

    # ---- counting ----

    def _count_from(self, first_ns: int, behind: int) -> None:
        """Count by window from now on.

        A call that ended earlier and was stored late counts in the first window.
        """
        self._first = first_ns
        self._end = first_ns + (behind + _AHEAD - 1) * self._width
        ends = first_ns + np.arange(behind + _AHEAD) * self._width - self._started
        ticks = np.rint(ends * (self._follower.clock.ticks_per_second / 1e9))
        bounds = np.minimum(ticks, fmt.TIME_LIMIT).astype(np.int64)
        bounds[0] = self._begin
        bounds[1:] = np.maximum(bounds[1:], self._begin + 1)
        if (np.diff(bounds) <= 0).any():  # of a clock that is too slow for such windows
            bounds += np.arange(len(bounds))
        self._follower.roll(bounds)

    def _start(self, window: int) -> int:
        """Return the start of a window by its number in the follower."""
        return self._first + window * self._width

    def _ticks(self, time_ns: int) -> int:
        return self._follower.clock.ticks(max(time_ns - self._started, 0))

    def _counted(self) -> list[int]:
        """Add what the follower has counted, and return the starts of all windows with calls."""
        rolled = self._follower.rolled()
        for place in np.unique(rolled.rows["window"]).tolist():
            self._windows[self._start(place)].rows.add(rolled, place)
        return sorted(self._windows)

    def _add_chains(self, window: ChainWindow) -> None:
        functions = self._follower.functions
        for parent, function, started in window.new_chains.tolist():
            name = encodable(functions[function].name) if function >= 0 else OTHER_CHAINS
            outer = self._ids[parent] if parent >= 0 else NO_PARENT
            found = chain_id(outer, name, started=bool(started))
            self._ids.append(found)
            self._definitions[found] = Chain(outer, name, bool(started))

    def _error_text(self, text: str, panicked: bool) -> ErrorText:
        found = self._known.get((text, panicked))
        if found is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = self._known[text, panicked] = error_text(text, panicked=panicked)
        return found

    # ---- rollups ----

    def _pop(self, starts: Iterable[int], age_ns: int) -> list[Rollup]:
        hours: defaultdict[int, dict[int, _Window]] = defaultdict(dict)
        for start in sorted(starts):
            hours[start // HOUR_NS * HOUR_NS][start] = self._windows.pop(start, _Window())
        return [self._rollup(hour, windows, age_ns) for hour, windows in hours.items()]

    def _rollup(self, hour_ns: int, windows: Mapping[int, _Window], age_ns: int) -> Rollup:
        demotions = self._follower.demotions
        figures = {
            (start, chain): row
            for start, window in windows.items()
            for chain, row in self._figures(window).items()
        }
        return Rollup(
            labels=labels_of(self._process()),
            recording=part_id(self.recording, hour_ns, self.position),
            hour_ns=hour_ns,
            width_ns=self._width,
            chains=self._needed(chain for _, chain in figures),
            figures=figures,
            coverage={start: self._coverage(start, demotions, age_ns) for start in windows},
        )

    def _needed(self, chains: Iterable[bytes]) -> dict[bytes, Chain]:
        """Return the definitions of chains and those of their callers."""
        needed: dict[bytes, Chain] = {}
        for chain in chains:
            while chain != NO_PARENT and chain not in needed:
                needed[chain] = self._definitions[chain]
                chain = needed[chain].parent
        return needed

    def _figures(self, window: _Window) -> dict[bytes, ChainFigures]:
        """Return the figures of a window; functions of the same name have one chain."""
        found: defaultdict[bytes, list[ChainFigures]] = defaultdict(list)
        if window.rows.rows:
            for row, buckets in window.rows.by_chain():
                texts = window.texts.get(row["chain"], Counter())
                found[self._ids[row["chain"]]].append(self._row(row, buckets, texts))
        return {chain: merged(several) for chain, several in found.items()}

    def _row(
        self, row: Mapping[str, int], buckets: Buckets, texts: Mapping[ErrorText, int]
    ) -> ChainFigures:
        ns = self._follower.clock.nanosecond
        is_finished = row["calls"] > row["unfinished"]
        return ChainFigures(
            calls=row["calls"],
            failed=row["failed"],
            panicked=row["panicked"],
            unfinished=row["unfinished"],
            total_ns=ns(row["total"]),
            self_ns=ns(row["self"]),
            suspended_ns=ns(row["suspended"]),
            min_ns=ns(row["min"]) if is_finished else None,
            max_ns=ns(row["max"]) if is_finished else None,
            buckets=buckets,
            errors=summarized(texts, row["failed"]),
            example=self._example(row),
        )

    def _example(self, row: Mapping[str, int]) -> Example | None:
        if row["failed_start"] >= 0:
            start, track = row["failed_start"], row["failed_track"]
        elif row["slowest_start"] >= 0:
            start, track = row["slowest_start"], row["slowest_track"]
        else:
            return None
        time_ns = self._started + self._follower.clock.nanosecond(start)
        return Example(time_ns, encodable(str(self._follower.path)), track)

    def _coverage(self, window_ns: int, demotions: Sequence[Demotion], age_ns: int) -> Coverage:
        follower, begin = self._follower, window_ns - self._started
        first = max(follower.first_ticks, self._begin)
        covered = min(begin + self._width, age_ns) - max(begin, follower.clock.nanosecond(first))
        return Coverage(
            max(covered, 0) / 1e9,
            self._gaps.demoted(window_ns, demotions),
            frozenset({*self._gaps.pop_missing(window_ns), *self._limits_reached()}),
        )

    def _limits_reached(self) -> Iterable[str]:
        if self._follower.header.flags & fmt.WRITE_FAILED:
            yield "a write failed; later calls are missing"
        if len(self._ids) > MAX_CHAINS:
            yield f"calls of further chains than {MAX_CHAINS:,} are in {OTHER_CHAINS}"

    def _process(self) -> RecordedProcess:
        follower, header = self._follower, self._follower.header
        return RecordedProcess(
            follower.path, header.pid, header.language, header.started, follower.process
        )
