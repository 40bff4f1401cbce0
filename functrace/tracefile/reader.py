"""Reader of complete trace files."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.errors import FunctraceError
from functrace.tracefile import format as fmt
from functrace.tracefile.demotions import Demotion, find_demotions
from functrace.tracefile.ending import Ending, is_running
from functrace.tracefile.facts import Facts, Function, decode, read_facts
from functrace.tracefile.header import Header, parse_header
from functrace.tracefile.programs import process_key
from functrace.tracefile.scan import Chunks, Pieces, Rows, find_chunks, find_pieces
from functrace.tracefile.sentences import sentences
from functrace.tracefile.tracks import TrackIndex, Tracks, index_tracks, order_pieces
from functrace.tracefile.truncation import note_mapping

_MAX_PPM = 1_000_000
_MAX_COUNT = (1 << 63) - 1
_MAX_NS = 1 << 61  # nanoseconds, so that a start and a duration add up to an int64


@dataclass(frozen=True)
class Clock:
    """Conversion between ticks and nanoseconds after the start of a trace."""

    ticks_per_second: float

    def nanoseconds(self, ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Convert a column of ticks to nanoseconds."""
        if self.ticks_per_second == 1e9:
            return ticks.astype(np.int64)
        scaled = np.rint(ticks * (1e9 / self.ticks_per_second))
        nanoseconds: npt.NDArray[np.int64] = np.minimum(scaled, float(_MAX_NS)).astype(np.int64)
        return nanoseconds

    def nanosecond(self, ticks: int) -> int:
        """Convert ticks to nanoseconds with the same result as for a column."""
        if self.ticks_per_second == 1e9:
            return ticks
        return min(round(ticks * (1e9 / self.ticks_per_second)), _MAX_NS)

    def ticks(self, nanoseconds: int) -> int:
        """Convert nanoseconds to ticks."""
        is_exact = self.ticks_per_second == 1e9
        ticks = nanoseconds if is_exact else round(nanoseconds * (self.ticks_per_second / 1e9))
        return min(max(ticks, 0), fmt.TIME_LIMIT)


@dataclass(frozen=True, eq=False)
class Trace:
    """Contents of a trace file; calls are read from the file on demand."""

    path: Path
    pid: int
    language: str
    """go, python or unknown"""
    started: int
    """nanoseconds since 1970-01-01 UTC"""
    ended_cleanly: bool
    ending: Ending | None
    """how the process ended, if functrace record observed it"""
    full: bool
    overwritten: bool
    """whether old chunks may be overwritten"""
    overwritten_chunks: int
    """number of overwritten chunks"""
    overwritten_events: int | None
    """entries and exits in overwritten chunks; None if the trace does not count them (version 1)"""
    write_failed: bool
    lost: int | None
    """events that were not recorded; None if unknown because recording stopped early"""
    process: dict[str, Any]
    functions: tuple[Function, ...]
    demotions: tuple[Demotion, ...]
    """spans in which functions were not recorded because of FUNCTRACE_BUDGET, by function"""
    tracks: Tracks
    events: int
    """number of entries and exits in the file"""
    span: tuple[int, int]
    """times of the first and last event, in nanoseconds after the start of the trace"""
    damage: list[str]
    """descriptions of the parts that could not be read"""
    clock: Clock
    words: Words
    origins: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]] | None = None
    """numbers of inbound calls and an origin of each, by which folds keep calls apart"""
    store: str = ""
    """folder or URL of the store that the trace stands for; empty for that of a file"""

    @property
    def place(self) -> str:
        """Path of the file, or the folder or URL of the store."""
        return self.store or str(self.path)

    @property
    def is_running(self) -> bool | None:
        """Whether the process is still running; None if that cannot be determined."""
        if self.ended_cleanly or self.ending is not None:
            return False
        return is_running(self.pid, self.process)

    @property
    def budget_ppm(self) -> int | None:
        """FUNCTRACE_BUDGET in parts per million of the program's CPU time; None without one."""
        budget = self.process.get("budget_ppm")
        return budget if type(budget) is int and 0 < budget <= _MAX_PPM else None

    @property
    def process_key(self) -> int:
        """Key by which other processes' traces name this process; 0 without one."""
        return process_key(self)

    @property
    def service(self) -> str:
        """Name of the service that the environment of the process set; empty without one."""
        name = self.process.get("service")
        return name if isinstance(name, str) else ""

    @property
    def ticks_per_second(self) -> float:
        """Ticks per second of the trace's clock."""
        return self.clock.ticks_per_second

    def text(self, at: int, size: int) -> str:
        """Return the string at an offset of the file."""
        return decode(self.words.data[at : at + size])

    def release_pages(self) -> None:
        """Take the pages of the file that were read out of the memory of this process.

        They stay in the system's cache. Nothing else changes: what is read again is mapped again.
        """
        mapped = self.words.data.obj
        if isinstance(mapped, mmap.mmap):
            mapped.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Unmap the file. Whatever reads calls, names of tracks or texts fails from then on."""
        self.words.data.release()


@dataclass(frozen=True, eq=False)
class Words:
    """Location of each track's words in the file."""

    data: memoryview
    start: int
    """ticks at the start of the trace"""
    last: int
    """ticks from `start` to the last event"""
    pieces: Rows
    piece_of: npt.NDArray[np.int64]
    function_of: npt.NDArray[np.int32]
    """function index by function number, or -1"""


def open_trace(path: str | Path, data: memoryview | None = None) -> Trace:
    """Read a trace except for its calls.

    Raises FunctraceError if the file is not a trace; Trace.damage describes damage after the
    header. The file stays mapped until the trace is closed or no longer referenced, unless
    ``data`` is a copy of its contents.
    """
    path = Path(path)
    data = _map(path) if data is None else data
    header = parse_header(path, data)
    overwritten = bool(header.flags & fmt.OVERWRITTEN)
    chunks = find_chunks(data, overwritten)
    facts = read_facts(data, chunks.rows)
    found = find_pieces(data, header, chunks.rows)
    clock = Clock(header.ticks_per_second)
    index = index_tracks(found)
    tracks = _tracks(index, found.records, facts, clock, data)
    found = found.without_records()  # of millions of tracks they are large
    pieces, piece_of = order_pieces(found.rows, index, has_runs=header.version > 1)
    found = found.without_rows()
    span = clock.nanoseconds(np.array([found.first, found.last]))
    demotions, unknown = find_demotions(
        facts.demotions,
        facts.name_of,
        lambda ticks: clock.nanosecond(fmt.ticks_since(ticks, header.start)),
    )
    facts.invalid_demotions += unknown
    return Trace(
        path=path,
        pid=header.pid,
        language=header.language,
        started=header.started,
        ended_cleanly=bool(header.flags & fmt.ENDED_CLEANLY),
        ending=header.ending,
        full=bool(header.flags & fmt.FULL),
        overwritten=overwritten,
        overwritten_chunks=_count_overwritten(header, chunks.rows),
        overwritten_events=header.overwritten if header.version > 1 else None,
        write_failed=bool(header.flags & fmt.WRITE_FAILED),
        lost=None if header.flags & (fmt.FULL | fmt.WRITE_FAILED) else header.lost,
        process=facts.process,
        functions=tuple(facts.functions),
        demotions=tuple(demotions),
        tracks=tracks,
        events=found.events,
        span=(int(span[0]), int(span[1])),
        damage=_damage(overwritten, chunks, facts, found),
        clock=clock,
        words=Words(
            data=data,
            start=header.start,
            last=found.last,
            pieces=pieces,
            piece_of=piece_of,
            function_of=facts.index_of,
        ),
    )


def _count_overwritten(header: Header, chunks: Rows) -> int:
    """Return how many chunks are missing because they were overwritten.

    Sequence numbers begin with 1. A trace of version 1 does not contain the highest one that was
    overwritten: any missing number counts.
    """
    if not header.is_overwriting:
        return 0
    numbers = np.unique(chunks["sequence"])
    last = header.last_overwritten if header.version > 1 else int(numbers.max(initial=0))
    return min(last - int((numbers <= last).sum()), _MAX_COUNT)


def _map(path: Path) -> memoryview:
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        raise FunctraceError(f"{path}: not a functrace trace: the file is empty") from None
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror or error}") from None
    data = memoryview(mapped)
    note_mapping(data)
    return data


def _tracks(
    index: TrackIndex, records: Rows, facts: Facts, clock: Clock, data: memoryview
) -> Tracks:
    def column(name: str, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        values = np.zeros(len(index.id), kind)
        is_recorded = index.record >= 0
        values[is_recorded] = records[name][index.record[is_recorded]]
        return values

    starters = column("starter", np.uint32)
    known = starters < len(facts.index_of)
    nanoseconds = clock.nanoseconds(index.start)
    return Tracks(
        id=index.id,
        kind=column("kind", np.uint8),
        parent=index.parent,
        parent_id=column("parent", np.uint64),
        starter=np.where(known, facts.index_of[np.where(known, starters, 0)], -1).astype(np.int32),
        line=np.minimum(column("line", np.uint32), fmt.LINE_LIMIT),
        start=nanoseconds if clock.ticks_per_second != 1e9 else index.start,
        start_ticks=index.start,
        name_at=column("name", np.int64),
        name_bytes=column("name_length", np.uint16),
        data=data,
    )


def _damage(overwritten: bool, chunks: Chunks, facts: Facts, found: Pieces) -> list[str]:
    return sentences(
        [
            # A gap between chunks is no damage if old chunks are overwritten.
            (
                0 if overwritten else chunks.gaps,
                "1 chunk is corrupt and was skipped",
                "chunks are corrupt and were skipped",
            ),
            (chunks.truncated, "1 chunk is truncated", "chunks are truncated"),
            (
                found.truncated + facts.truncated,
                "1 record exceeds its chunk",
                "records exceed their chunks",
            ),
            (
                found.invalid_words + facts.invalid_words,
                "1 word is invalid and was skipped",
                "words are invalid and were skipped",
            ),
            (found.words_without_track, "1 word belongs to no track", "words belong to no track"),
            (found.tracks_without_id, "1 track has no id", "tracks have no id"),
            (
                facts.invalid_functions,
                "1 function definition is invalid and was ignored",
                "function definitions are invalid and were ignored",
            ),
            (
                facts.invalid_process,
                "1 description of the process is invalid and was ignored",
                "descriptions of the process are invalid and were ignored",
            ),
            (
                facts.invalid_demotions,
                "1 record of a demoted function is invalid and was ignored",
                "records of demoted functions are invalid and were ignored",
            ),
            (
                facts.invalid_requests,
                "1 name of requests is invalid and was ignored",
                "names of requests are invalid and were ignored",
            ),
        ]
    )
