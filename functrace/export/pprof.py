"""Profile for ``go tool pprof``: one sample per chain, with calls, time and errors."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from functrace.analysis import Chains, fold
from functrace.analysis.merge import merge_functions
from functrace.export import process_names
from functrace.export import protobuf as pb
from functrace.export.stacks import outermost, stacks
from functrace.tracefile import Trace, programs
from functrace.tracefile.facts import Function

# Fields of profile.proto's messages.
_SAMPLE_TYPE, _SAMPLE, _MAPPING, _LOCATION, _FUNCTION, _STRING = 1, 2, 3, 4, 5, 6
_TIME, _DURATION, _DEFAULT_SAMPLE_TYPE = 9, 10, 14
_BATCH = 1 << 20


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write the chains of all traces as one profile."""
    titles = list(map(process_names.title, traces))
    program = programs.arguments(traces[0])[:1] or [programs.program_name(traces[0])]
    _write(_Profile(traces, titles, program[0]), map(fold, traces), out)


def write_chains(titles: Sequence[str], chains: Sequence[Chains], out: BinaryIO) -> None:
    """Write chains as one profile; titles are the labels `process` of several."""
    _write(_Profile([each.trace for each in chains], titles, titles[0]), chains, out)


def _write(profile: _Profile, chains: Iterable[Chains], out: BinaryIO) -> None:
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as compressed:
        profile.write(compressed, chains)


class _Strings:
    """String table, numbered in order of first use; 0 is the empty string."""

    def __init__(self) -> None:
        self._number_of = {"": 0}

    def __getitem__(self, text: str) -> int:
        return self._number_of.setdefault(text, len(self._number_of))

    def encode(self) -> bytes:
        return b"".join(pb.text(_STRING, text) for text in self._number_of)


class _Profile:
    def __init__(self, traces: Sequence[Trace], titles: Sequence[str], program: str) -> None:
        self._traces = traces
        self._titles = titles
        self._program = program
        self._strings = _Strings()
        self._functions, self._index_of = merge_functions(traces)

    def write(self, out: gzip.GzipFile, chains: Iterable[Chains]) -> None:
        """Write the fields; the string table comes last, so that samples can be streamed."""
        out.write(self._head())
        for index, each in enumerate(chains):
            _write_in_batches(out, self._samples(index, each))
        for number, function in enumerate(self._functions, 1):
            out.write(self._place(number, function))
        out.write(self._strings.encode())

    def _head(self) -> bytes:
        strings = self._strings
        types = (("calls", "count"), ("time", "nanoseconds"), ("errors", "count"))
        head = [
            pb.data(_SAMPLE_TYPE, pb.number(1, strings[name]) + pb.number(2, strings[unit]))
            for name, unit in types
        ]
        # These flags state that symbols are complete, so that pprof does not read the executable.
        known = b"".join(pb.number(field, 1) for field in (1, 7, 8, 9))
        head.append(pb.data(_MAPPING, known + pb.number(5, strings[self._program])))
        started = min(trace.started for trace in self._traces)
        ended = max(trace.started + trace.span[1] for trace in self._traces)
        head.append(pb.number(_TIME, started) + pb.number(_DURATION, ended - started))
        head.append(pb.number(_DEFAULT_SAMPLE_TYPE, strings["time"]))
        return b"".join(head)

    def _samples(self, index: int, chains: Chains) -> Iterator[bytes]:
        locations = [pb.varint(int(function) + 1) for function in self._index_of[index]]
        failed = (chains.errors + chains.panics).tolist()
        values = zip(chains.calls.tolist(), chains.self.tolist(), failed, strict=True)
        tracks = outermost(chains).tolist()
        labels = [self._label("track", function.name) for function in chains.trace.functions]
        process = self._process(index)
        for node, (stack, value) in enumerate(zip(stacks(chains), values, strict=True)):
            if not chains.calls[node]:  # it only encloses others
                continue
            sample = pb.data(1, b"".join([locations[function] for function in stack]))
            sample += pb.packed(2, value) + labels[tracks[node]] + process
            if failed[node]:
                sample += self._label("error", chains.failure(node) or "unknown")
            yield pb.data(_SAMPLE, sample)

    def _process(self, index: int) -> bytes:
        several = len(self._traces) > 1
        return self._label("process", self._titles[index]) if several else b""

    def _label(self, key: str, value: str) -> bytes:
        return pb.data(3, pb.number(1, self._strings[key]) + pb.number(2, self._strings[value]))

    def _place(self, number: int, function: Function) -> bytes:
        name, file = self._strings[function.name], self._strings[function.file]
        line = pb.number(1, number) + pb.number(2, function.line)
        location = pb.number(1, number) + pb.number(2, 1) + pb.data(4, line)
        fields = [(1, number), (2, name), (3, name), (4, file), (5, function.line)]
        encoded = b"".join(pb.number(field, value) for field, value in fields)
        return pb.data(_LOCATION, location) + pb.data(_FUNCTION, encoded)


def _write_in_batches(out: gzip.GzipFile, samples: Iterator[bytes]) -> None:
    """Write in large batches, since many small writes to a compressor are slow."""
    batch: list[bytes] = []
    size = 0
    for sample in samples:
        batch.append(sample)
        size += len(sample)
        if size > _BATCH:
            out.write(b"".join(batch))
            batch, size = [], 0
    out.write(b"".join(batch))
