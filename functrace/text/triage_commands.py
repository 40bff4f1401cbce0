"""Commands that show more of a finding, ready to be pasted into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from functrace import units
from functrace.globs import as_operand
from functrace.text import layout

if TYPE_CHECKING:
    from functrace.analysis.examples import Example
    from functrace.analysis.triage import (
        FailingChain,
        GrowingRecursion,
        Loss,
        NeverEnded,
        RepeatedChain,
        SlowChain,
        SwallowedFailure,
        Triage,
    )


class Commands:
    """Builder of the commands for findings in given traces, or in a store with its options."""

    def __init__(self, found: Triage, paths: Sequence[str | Path]) -> None:
        self._forest = found.forest
        self._names = layout.Names(found.forest.functions, found.forest.services)
        is_stored = found.forest.is_stored
        self._options = ["--store", *map(str, paths)] if is_stored else []
        self._traces = [] if is_stored else [_as_argument(path) for path in paths]

    def failing(self, each: FailingChain) -> str:
        """Return the command that shows the failing chains of the function."""
        return self._command("callers", "--errors", self._names.glob(each.function))

    def swallowed(self, each: SwallowedFailure) -> str:
        """Return the command that shows the call and what its caller did next."""
        until = units.moment(each.until + 1000)  # rounded down to microseconds
        return self._replay(each.example, "--until", until)

    def never_ended(self, each: NeverEnded) -> str:
        """Return the command that shows the calls of the track since the open call began."""
        return self._replay(each.example)

    def slow(self, each: SlowChain) -> str:
        """Return the command that shows the chains with slow calls of the function."""
        if self._forest.is_stored:
            return self._command("callers", "--sort", "p99", self._glob(each.node))
        limit = f"{each.limit // 1000}us"
        return self._command("callers", "--min-duration", limit, self._glob(each.node))

    def repeated(self, each: RepeatedChain) -> str:
        """Return the command that shows the callees of the caller."""
        return self._command("graph", self._glob(int(self._forest.parent[each.node])))

    def recursion(self, each: GrowingRecursion) -> str:
        """Return the command that shows the chains of the function."""
        return self._command("callers", self._glob(each.node))

    def losses(self, each: Loss) -> str:
        """Return the command that shows how the recording ended and what is damaged."""
        return shlex.join(["functrace", "info", _as_argument(each.trace.path)])

    def _glob(self, node: int) -> str:
        return self._names.glob(int(self._forest.function[node]))

    def _command(self, *words: str) -> str:
        """Return a command; its last word selects a function."""
        *before, selector = words
        operands = [*as_operand(selector), *self._traces]
        return shlex.join(["functrace", *before, *self._options, *operands])

    def _replay(self, example: Example, *words: str) -> str:
        trace = self._forest.traces[example.trace]
        track = str(trace.tracks[example.track].id)
        at = ["--track", track, "--from", units.moment(example.start)]
        return shlex.join(["functrace", "replay", _as_argument(trace.path), *at, *words])


def _as_argument(path: str | Path) -> str:
    """Return a path that is not taken for an option."""
    text = str(path)
    return f"./{text}" if text.startswith("-") else text
