"""Rollups of one ring, a window at a time."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from functrace.rollup.followed import FollowedRollups
from functrace.rollup.rollup import Rollup
from functrace.tracefile.chain_follower import ChainFollower, ChainWindow

_GRACE_NS = 2_000_000_000  # after the end of a window, in which its last calls are stored and read
_SPREAD_NS = 8_000_000_000  # over which the processes of a machine write their rollups


@dataclass(frozen=True)
class Part:
    """Rollups of the windows of one ring that have ended."""

    ring: str
    """path of the ring"""
    started: int
    """start of its trace"""
    rollups: tuple[Rollup, ...]
    position: int
    """ticks up to which calls are in these rollups and in earlier ones"""


@dataclass(frozen=True)
class Rolling:
    """How rings are rolled up.

    Attributes:
        width_ns: length of a window.
        position: returns the ticks from which the calls of a ring count, by its path and the start
            of its trace.
        put: receives rollups.
    """

    width_ns: int
    position: Callable[[str, int], int]
    put: Callable[[Part], None]


class RingRollups:
    """Rollups of one ring.

    Args:
        follower: follower of the ring, which has read nothing yet.
        rolling: how rings are rolled up.
    """

    def __init__(self, follower: ChainFollower, rolling: Rolling) -> None:
        self._put = rolling.put
        self._ring, self._started = str(follower.path), follower.header.started
        position = rolling.position(self._ring, self._started)
        self._rollups = FollowedRollups(follower, rolling.width_ns, position)
        self._delay_ns = _GRACE_NS + zlib.crc32(self._ring.encode()) % _SPREAD_NS

    def add(self, window: ChainWindow, age_ns: int) -> None:
        """Take in a window of the follower; roll up what ended some seconds ago.

        Args:
            window: the window.
            age_ns: time since the start of the trace.
        """
        self._rollups.add(window, age_ns)
        until_ns = self._started + age_ns - self._delay_ns
        if self._rollups.ends_by(until_ns):
            self._give(self._rollups.pop_ended(until_ns, age_ns))

    def end(self, age_ns: int) -> None:
        """Roll up what remains, after the last window was added."""
        self._give(self._rollups.pop_all(age_ns))

    def _give(self, rollups: list[Rollup]) -> None:
        self._put(Part(self._ring, self._started, tuple(rollups), self._rollups.position))
