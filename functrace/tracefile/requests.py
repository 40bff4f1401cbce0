"""Table of the requests of a trace: the inbound and outbound calls of its process."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

_Int64s = npt.NDArray[np.int64]
_Int32s = npt.NDArray[np.int32]
_UInt64s = npt.NDArray[np.uint64]

NO_JOIN = 0
BY_CONTEXT = 1
BY_ANCESTRY = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Requests:
    """Columns of requests, one row each, track by track in the order in which they began.

    The texts in a trace are not trusted, and neither are the numbers: two requests of a damaged
    trace may have the same.
    """

    direction: npt.NDArray[np.uint8]
    """1 inbound, 2 outbound"""
    protocol: npt.NDArray[np.uint8]
    """1 HTTP, 2 gRPC"""
    flags: npt.NDArray[np.uint32]
    """of format.HAS_IDS, SAMPLED, HAS_CALLER, OWN_IDS and, about the status, GRPC_CODE"""
    number: _UInt64s
    inbound_number: _UInt64s
    """of an outbound call: number of the inbound call to which the recorder attributed it, or 0"""
    inbound: _Int32s
    """of an outbound call: row of the inbound call that it belongs to, open at the time, or -1"""
    join: npt.NDArray[np.uint8]
    """how `inbound` is known: NO_JOIN, BY_CONTEXT or BY_ANCESTRY"""
    trace_id: npt.NDArray[np.void]
    """16 bytes; zeros without HAS_IDS"""
    span_id: _UInt64s
    """most significant byte first, as in a header"""
    ft_process: _UInt64s
    """with HAS_CALLER: key of the process that sent the request"""
    ft_number: _UInt64s
    """with HAS_CALLER: number of the outbound call there"""
    track: _Int32s
    """index of the track"""
    start: _Int64s
    """nanoseconds since 1970-01-01 UTC, by the clock of this process"""
    end: _Int64s
    """the same; -1 if the request is unfinished"""
    failed: npt.NDArray[np.bool_]
    """whether it ended with an error or panic"""
    status: _Int32s
    """status of HTTP or code of gRPC, -1 if it is unknown"""
    route_function: _Int32s
    """index of the function whose name is the route, or -1"""
    function: _Int32s
    """index of the request function; -1 if its entry was overwritten"""
    chain: _Int32s
    """node of the request's own call in the chains it was read with; -1 if function is"""
    call: _Int64s
    """number of the call in the columns of functrace.export.events; -1 if function is"""
    invalid_records: int
    """request records that were ignored: without sense, or not behind a request's entry"""

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.number)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
