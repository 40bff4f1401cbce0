"""The words of a chunk of events, given to the tracks that they are of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from functrace.live.calls import Calls
from functrace.live.chunks import Chunk, ChunkFile
from functrace.live.tracks import (
    BEGINS,
    ERROR,
    GOES_ON,
    INHERITED,
    LOST,
    MISSES,
    OPEN,
    PANIC,
    RESUMED,
    SUSPENDED,
    Payload,
)
from functrace.trace import format as fmt
from functrace.trace.facts import decode

_Words = npt.NDArray[np.uint64]
_TIME_BITS, _VALUE_BITS = 22, 24  # below a time, below a record's value
_FEW = 32  # words for which columns take longer
_LEFT = 512  # bytes at the end of a chunk that nothing longer than that needs
_BASE, _TRACK = (kind << 2 | fmt.RECORD for kind in (fmt.BASE, fmt.TRACK))


def read_words(file: ChunkFile, chunk: Chunk) -> tuple[_Words, memoryview]:
    """What is new in a chunk, up to its end, as words and as bytes; none if it is overwritten.

    What a word announces is stored before it. So payloads are those of the bytes, read later.
    """
    data = b""
    if any(file.read(chunk.at, fmt.WORD.size)):
        data = file.read(chunk.at, chunk.end - chunk.at)
    payloads = memoryview(file.read(chunk.at, len(data)))
    return np.frombuffer(data, "<u8", min(len(data), len(payloads)) // 8), payloads


class EventWords:
    """A chunk of events that is being read.

    Args:
        chunk: which.
        calls: whose tracks get the words.
    """

    def __init__(self, chunk: Chunk, calls: Calls) -> None:
        self.chunk = chunk
        self.track = calls.track(chunk.track) if chunk.track else None
        """whose words come next"""
        self.is_read = False
        """to its end, or to where nothing was stored yet"""
        self.has_successor = False
        """its track goes on in another chunk"""
        self.begun = calls.since_start(chunk.base)
        self.last = -1
        """when its last event was"""
        self._calls = calls
        self._base = chunk.base - calls.start
        self._begins = True

    @property
    def is_done(self) -> bool:
        """Whether no word can come any more.

        A chunk with a successor was left as too short for what was to come; or as its track seemed
        to have ended, and then another track may begin in it.
        """
        left = self.chunk.end - self.chunk.at
        return self.chunk.is_gone or left < (_LEFT if self.has_successor else fmt.WORD.size)

    def read(self, file: ChunkFile) -> int:
        """Give the tracks what is new.

        Returns how many words that is. If the chunk is overwritten meanwhile, it is_gone then, and
        the words are what was lost.
        """
        words, payloads = read_words(file, self.chunk)
        if len(words) and not file.is_there(self.chunk):
            return _count_words(words)
        count = self._take(words, payloads)
        self.chunk.at += 8 * count
        return count

    def miss(self, *, is_sure: bool) -> None:
        """The chunk is gone; whether words in it were not read is sure, or may be."""
        if self.track is not None:
            self._calls.add(self.track, MISSES, (is_sure,))

    def _take(self, words: _Words, payloads: memoryview) -> int:
        kinds = words & np.uint64(3)
        self.is_read = True
        at = 0
        for special in np.flatnonzero((kinds == fmt.RECORD) | (kinds == 0)).tolist():
            if special < at:
                continue  # in the payload of the record before
            self._events(words[at:special])
            at = special
            word = int(words[at])
            size = fmt.record_size(word) // 8 if word & 3 else 1
            if word == 0:
                return int(at)
            if at + size > len(words):
                self.chunk.at = self.chunk.end  # a record that goes beyond its chunk: damage
                return 0
            if word & 3:
                self._record(word, payloads[8 * at + 8 : 8 * at + 8 + fmt.record_bytes(word)])
            at += size
        self._events(words[at:])
        return len(words)

    def _events(self, words: _Words) -> None:
        if not len(words):
            return
        if self.track is not None:
            self._begin()
            self._calls.note(self.track)
        times = self._times(words)
        self._note(times[-1])
        if self.track is not None:
            self.track.read_until = times[-1]
            self.track.times += times
            self.track.words += (words & np.uint64((1 << _TIME_BITS) - 1)).tolist()

    def _times(self, words: _Words) -> list[int]:
        """Those of events, none before what was on the track before."""
        least = self.track.read_until if self.track else 0
        ticks = words >> np.uint64(_TIME_BITS)
        if len(words) > _FEW:
            since = np.clip(ticks.astype(np.int64) + self._base, least, fmt.TIME_LIMIT)
            times: list[int] = np.maximum.accumulate(since).tolist()
            return times
        times = []
        for tick in ticks.tolist():
            least = min(max(tick + self._base, least), fmt.TIME_LIMIT)
            times.append(least)
        return times

    def _record(self, word: int, payload: memoryview) -> None:
        kind, value = word & 0xFF, word >> _VALUE_BITS
        if kind == _BASE and len(payload) >= fmt.WORD.size:
            self._base = fmt.WORD.unpack_from(payload)[0] - self._calls.start
        elif kind == _TRACK:
            self._begin_track(value, payload)
        elif self.track is None:
            return
        elif kind in (ERROR, PANIC):
            self._add(kind, (value, bytes(payload)))
        elif kind in (OPEN, INHERITED) and len(payload) >= fmt.OPEN_PAYLOAD.size:
            ticks, number = fmt.OPEN_PAYLOAD.unpack_from(payload)
            is_inherited = kind == INHERITED or value == fmt.OPEN_INHERITED
            self._add(kind, (self._calls.since_start(ticks), number, is_inherited))
        elif kind == LOST:
            self._add(kind)
        elif kind in (SUSPENDED, RESUMED):
            time = min(max(self._base + value, 0), fmt.TIME_LIMIT)
            self._note(time)
            self._add(kind, time=time)

    def _begin_track(self, kind: int, payload: memoryview) -> None:
        self.track = None
        head = fmt.TRACK_PAYLOAD
        if len(payload) < head.size:
            return
        number, parent, ticks, starter, _line = head.unpack_from(payload)
        if number:
            name = decode(payload[head.size :])
            self.track = self._calls.track(number)
            self.track.know(kind, self._calls.since_start(ticks), parent, starter, name)
            self._begins = False
            self._calls.add(self.track, GOES_ON, (0,))

    def _add(self, word: int, payload: Payload | None = None, time: int = 0) -> None:
        if self.track is not None:
            self._begin()
            self._calls.add(self.track, word, payload, time)

    def _begin(self) -> None:
        """Words come in a chunk that the track did not begin in."""
        if self._begins and self.track is not None:
            self._begins = False
            self._calls.add(self.track, BEGINS, (self.chunk.opened,))

    def _note(self, time: int) -> None:
        self.last = max(self.last, min(time, fmt.TIME_LIMIT))


def _count_words(words: _Words) -> int:
    """Return how many words were stored, at most: all that fit if they have been zeroed since.

    Zeros end the words of a chunk, but payloads contain zeros as well.
    """
    stored = np.flatnonzero(words)
    return int(stored[-1]) + 1 if len(stored) else len(words)
