"""The spans of a trace by both ways: of the file, and of the file as it is followed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from functrace.export.otlp import Options
from functrace.export.otlp.frames import Span
from functrace.export.otlp.ids import ProbabilitySampler
from functrace.export.otlp.live.span_follower import SpanFollower
from functrace.export.otlp.request_encoder import Source, build_batches
from functrace.export.otlp.request_places import place_requests
from functrace.export.otlp.spans import spans
from functrace.globs import compile_list
from functrace.tracefile import Trace, open_trace


class Following:
    """A trace that is followed by hand."""

    def __init__(self, path: Path, options: Options, roots: tuple[str, ...] = ()) -> None:
        self.messages: list[bytes] = []
        self._rate = ProbabilitySampler(options.rate)
        self.follower = SpanFollower(path, options, roots, self._take)

    def _take(self, found: Iterable[Span]) -> None:
        self.messages += _serialized(self.follower.process, found, self._rate)

    def finish(self) -> list[bytes]:
        self.follower.finish()
        return sorted(self.messages)


def followed(path: Path, options: Options, roots: tuple[str, ...] = ()) -> list[bytes]:
    return Following(path, options, roots).finish()


def exported(path: Path, options: Options, roots: tuple[str, ...] = ()) -> list[bytes]:
    trace = open_trace(path)
    chosen = replace(options, roots=lambda each: _named(each, roots)) if roots else options
    (requests,) = place_requests([trace], chosen)
    found = spans(trace, chosen, requests)
    return sorted(_serialized(trace, found, ProbabilitySampler(options.rate)))


def _named(trace: Trace, roots: tuple[str, ...]) -> set[int]:
    is_root = compile_list(roots)
    return {index for index, function in enumerate(trace.functions) if is_root(function.name)}


def _serialized(source: Source, found: Iterable[Span], rate: ProbabilitySampler) -> list[bytes]:
    return [
        span.SerializeToString(deterministic=True)
        for batch in build_batches(source, found, {}, rate)
        for span in of_request(batch.request)
    ]


def of_request(request: Any) -> list[Any]:
    return [
        span
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
