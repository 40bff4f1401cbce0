"""Chunks that are overwritten before they were read, written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from functrace.export.otlp import ALL_CALLS, Options
from functrace.tracefile import format as fmt
from functrace.tracefile.chunks import ChunkFile
from tests.live.overwritten import (
    BEGUN,
    CASES,
    FILE,
    FIRST,
    HEADER,
    MAIN,
    PRICE,
    SELL,
    START,
    Case,
    as_json,
    listed,
)
from tests.live.spans import Following
from tests.otlp.program import STARTED
from tests.tracefile import writer as w


class File:
    """A trace in which old chunks are overwritten."""

    def __init__(self, path: Path, content: bytes = START, options: Options = ALL_CALLS) -> None:
        self.path = path
        path.write_bytes(content)
        self.following = Following(path, options)

    def write(self, at: int, content: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(at)
            file.write(content)

    def finish(self) -> list[str]:
        """The spans: function, unfinished or not."""
        found = [Span.FromString(message) for message in self.following.finish()]
        return sorted(
            span.name
            + " unfinished" * any(a.key == "functrace.unfinished" for a in span.attributes)
            for span in found
        )

    @property
    def lost(self) -> tuple[int, int]:
        """Events, and calls whose end is not known."""
        return self.following.follower.overwritten, self.following.follower.dropped


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cases_shared_with_the_go_sender(tmp_path: Path, case: Case) -> None:
    file = File(tmp_path / "x.ftrace", options=Options(errors=case.errors))
    file.following.follower.advance()
    *earlier, last = case.writes
    for write in earlier:
        file.write(write.at, bytes.fromhex(write.content))
    for _ in range(case.rounds):
        file.following.follower.advance()
    file.write(last.at, bytes.fromhex(last.content))
    assert file.finish() == case.spans
    assert file.lost == (case.lost_events, case.calls_without_end)


def test_the_file_of_cases_is_current() -> None:
    assert FILE.read_text() == as_json()


def test_a_chunk_that_is_overwritten_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = File(tmp_path / "x.ftrace")
    read = ChunkFile.read
    after = w.events(4, *listed((1010, 1)), w.leave(1, 50), track=1)

    def read_late(self: Any, at: int, size: int) -> bytes:
        found = read(self, at, size)
        if at == FIRST + 40 and size > 8:
            file.write(FIRST, after)
        return found

    monkeypatch.setattr(ChunkFile, "read", read_late)
    file.following.follower.advance()
    monkeypatch.undo()
    assert file.finish() == [MAIN, "main.work"]
    words = len(b"".join(BEGUN)) // 8
    assert file.lost == (words, 0)


def test_a_chunk_that_is_zeroed_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder zeroes a chunk before another takes its place."""
    file = File(tmp_path / "x.ftrace")
    read = ChunkFile.read

    def read_after(self: Any, at: int, size: int) -> bytes:
        if at == FIRST + 40 and size > 8:
            file.write(FIRST, bytes(512))
        return read(self, at, size)

    monkeypatch.setattr(ChunkFile, "read", read_after)
    file.following.follower.advance()
    monkeypatch.undo()
    after = w.events(4, *listed((1010, 1)), w.leave(1, 50), track=1)
    file.write(FIRST, after)
    assert file.finish() == [MAIN, "main.work"]
    assert file.lost == ((512 - 40) // 8, 0)


def test_calls_that_are_not_known_before_the_next_list(tmp_path: Path) -> None:
    """What was open ends; what is open is known again from the list, with the time of its entry."""
    file = File(tmp_path / "x.ftrace")
    file.following.follower.advance()
    file.write(fmt.LAST_OVERWRITTEN_AT, (8).to_bytes(8, "little"))
    file.write(
        FIRST, w.events(9, w.switch(1, 7, opened=2), w.enter(3, 50), w.leave(3, 55), track=1)
    )
    for _ in range(3):
        file.following.follower.advance()
    after = listed((1010, 1), (1020, 2), run=8)
    file.write(FIRST + 512, w.events(10, *after, w.leave(2, 70), w.leave(1, 80), track=1))
    assert file.finish() == [SELL, MAIN, PRICE, "main.work"]
    spans = {each.name: each for each in map(Span.FromString, file.following.messages)}
    assert spans[MAIN].start_time_unix_nano == STARTED + 10
    assert spans[SELL].parent_span_id == spans[MAIN].span_id
    assert file.lost == (5 * (512 - 40) // 8, 2)


def test_larger_and_smaller_chunks_in_the_place_of_old_ones(tmp_path: Path) -> None:
    """Round and round: every call of a track that goes on in all of them is sent."""
    file = File(tmp_path / "x.ftrace", HEADER + bytes(8 * 512))
    calls, places = 0, [FIRST, FIRST + 512, FIRST + 3 * 512, FIRST + 5 * 512]
    sizes = [(512, 1024, 1024, 1536), (1024, 512, 1536, 1024), (2048, 512, 512, 1024)]
    for turn in range(9):
        at = places[0]
        file.write(at, bytes(8 * 512))
        for size in sizes[turn % 3]:
            sequence = 2 + calls // 2
            words = [w.switch(1, calls // 2) if calls else w.track(1, 1000)]
            for _ in range(2):
                words += [w.enter(2, 10 * calls), w.leave(2, 10 * calls + 5)]
                calls += 1
            file.write(at, w.events(sequence, *words, track=1, size=size))
            at += size
            file.following.follower.advance()
    assert file.finish() == [SELL] * calls
    assert file.lost == (0, 0)
