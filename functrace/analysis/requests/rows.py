"""Requests of several traces in one table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from functrace.analysis.columns import Bools, Columns, Int32s, Int64s

UInt64s = npt.NDArray[np.uint64]
UNFINISHED = 1 << 62
"""end of a request that did not end"""


@dataclass(frozen=True, eq=False, kw_only=True)
class RequestRows(Columns):
    """Columns of the requests of several traces. Times are nanoseconds since 1970.

    A request is identified by its index here. -1 stands for none.
    """

    trace: Int32s
    """index of the trace"""
    inbound: Bools
    """whether it entered the process; otherwise it left it"""
    name: Int32s
    """number of the protocol, method and path: equal for both ends of a request whose path nobody
    rewrote. -1 if the path is unknown"""
    number: UInt64s
    inbound_number: UInt64s
    """number of the inbound call that an outbound one belongs to, as the recorder observed; or 0"""
    trace_id: Int64s
    """number of the trace id, equal for equal ids; -1 without ids"""
    span_id: UInt64s
    ft_process: UInt64s
    """key of the process that sent an inbound call, as the header names it; 0 without one"""
    ft_number: UInt64s
    track: Int32s
    start: Int64s
    end: Int64s
    """UNFINISHED if it has not ended"""
    failed: Bools
    status: Int32s
    """-1 if it is unknown"""

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.trace)

    @property
    def has_response(self) -> Bools:
        """Mask of the requests that ended with an answer of the other side.

        A failed request without a status may reach the other side later than its caller gave up.
        """
        answered: Bools = (self.end < UNFINISHED) & (~self.failed | (self.status > 0))
        return answered


@dataclass(frozen=True)
class Process:
    """What joins need to know of the process of a trace."""

    key: int
    """key by which other processes name its requests; 0 if it has none"""
    host: str
    """empty if unknown"""
    duration: int = 0
    """nanoseconds that the trace covers, over which its clock may drift"""
