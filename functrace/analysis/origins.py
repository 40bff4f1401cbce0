"""Origins of inbound calls: which call of which other process sent them, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Origins:
    """Origins by the numbers of inbound calls; in whatever order."""

    numbers: npt.NDArray[np.uint64]
    """numbers of inbound calls, as in Requests.number"""
    ids: npt.NDArray[np.uint32]
    """an origin each, from 1 on; 0 is none"""

    def columns(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return both in the order of the numbers; if one is there twice, with its first origin."""
        numbers, first = np.unique(self.numbers.astype(np.uint64), return_index=True)
        return numbers, np.ascontiguousarray(self.ids[first].astype(np.uint32))
