"""Rollup: the mergeable chain table of one recording in one hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functrace.rollup.figures import ChainFigures
from functrace.rollup.labels import Labels

HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True)
class Chain:
    """Definition of a chain: the chain of its caller and its innermost function."""

    parent: bytes
    """chain_ids.NO_PARENT for none"""
    function: str
    started: bool
    """whether the function runs on another track, which the caller started"""


@dataclass(frozen=True)
class Coverage:
    """Extent to which a recording covers a window."""

    seconds: float
    """part of the window between the first and the last event of the trace"""
    demoted: frozenset[str] = frozenset()
    """functions that were not recorded for some time because of FUNCTRACE_BUDGET"""
    missing: frozenset[str] = frozenset()
    """why calls of the program are missing from the trace"""


@dataclass(frozen=True)
class Rollup:
    """Chain table of one recording in one hour.

    Attributes:
        labels: labels of the process.
        recording: id of the recording.
        hour_ns: start of the hour, nanoseconds since 1970-01-01 UTC.
        width_ns: length of a window; windows begin at its multiples.
        chains: definition of each chain of `figures`, and of their callers.
        figures: by start of the window and chain. A call counts in the window in which it ended.
        coverage: by start of the window.
    """

    labels: Labels
    recording: str
    hour_ns: int
    width_ns: int
    chains: Mapping[bytes, Chain]
    figures: Mapping[tuple[int, bytes], ChainFigures]
    coverage: Mapping[int, Coverage]
