"""Failed calls of a trace with the calls around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from functrace.analysis.calls import Calls
from functrace.analysis.columns import Bools, Int64s
from functrace.analysis.failures import is_ending, pattern_of


@dataclass(eq=False)
class FailedCalls:
    """Failed calls and all calls that enclose one; other calls are not listed."""

    calls: Calls
    _patterns: dict[str, str] = field(default_factory=dict)

    @cached_property
    def failed(self) -> Bools:
        """Mask of the calls that returned an error or panicked."""
        failed: Bools = self.calls.error | self.calls.panic
        return failed

    @cached_property
    def texts(self) -> dict[int, str]:
        """Text of each failed call."""
        return {call: self.calls.text(call) for call in np.flatnonzero(self.failed).tolist()}

    @cached_property
    def uncaught(self) -> Bools:
        """Mask of the panics and exceptions that left the outermost call of their track."""
        calls = self.calls
        uncaught: Bools = calls.panic & (calls.depth == 0)
        for call in np.flatnonzero(calls.panic & (self.caller >= 0)).tolist():
            uncaught[call] = uncaught[self.caller[call]]  # a caller precedes its callees
        if calls.chains.trace.language == "python":
            for call in np.flatnonzero(uncaught).tolist():
                uncaught[call] = not is_ending(self.texts[call])
        return uncaught

    @cached_property
    def caller(self) -> Int64s:
        """The call around each call on its track, or -1 if it has none or that is not listed."""
        calls = self.calls
        parent = calls.parent.astype(np.int64)
        is_direct = (parent >= 0) & (calls.depth[parent] == calls.depth - 1)
        return np.where(is_direct, parent, -1)

    def pattern(self, text: str) -> str:
        """Return pattern_of(text), computed once for each text."""
        if text not in self._patterns:
            self._patterns[text] = pattern_of(text)
        return self._patterns[text]
