"""Filter, order and part of a list of calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Order = Literal["start", "duration", "self"]

ORDERS: tuple[Order, ...] = ("start", "duration", "self")
"""in the order of `call_order` in functrace/_native/reader/index.h"""


@dataclass(frozen=True)
class CallQuery:
    """Calls to list. Times are nanoseconds after the trace's start; None means no restriction."""

    from_ns: int = 0
    to_ns: int | None = None
    """calls that overlap the time from `from_ns` to `to_ns`, both included"""
    tracks: Collection[int] | None = None
    """indices of tracks"""
    functions: Collection[int] | None = None
    """indices of functions"""
    failed_only: bool = False
    """only calls that returned an error or panicked"""
    min_duration_ns: int = 0
    order: Order = "start"
    """calls with equal keys come by start, track and depth"""
    descending: bool = False
    offset: int = 0
    limit: int = 100
