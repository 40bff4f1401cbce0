"""Difference of a flame graph from another one: the share of each frame before and after."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from functrace.analysis.columns import Int64s
    from functrace.export.flamegraph import Tree

KEY = "red: a larger share than before, blue: a smaller one"
_OF = {"time": "of the time", "calls": "of the calls", "errors": "of all calls, failed here"}
_NEUTRAL = "#e8ebef"
_MIN_RATIO = 1.05
_MAX_RATIO = 2.0
_DIGITS = 6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shares:
    """Share of each node, with what it calls, in one weight.

    Attributes:
        before: in the other flame graph.
        after: in this one.
        of: what they are a share of.
    """

    before: Floats
    after: Floats
    of: str

    def of_nodes(self, nodes: Int64s) -> Shares:
        """Return the shares of some of the nodes."""
        return Shares(self.before[nodes], self.after[nodes], self.of)

    def color(self, node: int) -> str:
        """Return red for a frame that grew, blue for one that shrank; stronger up to a factor 2."""
        before, after = float(self.before[node]), float(self.after[node])
        ratio = after / before if before else _MAX_RATIO if after else 1.0
        strength = min(abs(log2(ratio)) if ratio else 1.0, 1.0)
        if strength < log2(_MIN_RATIO):
            return _NEUTRAL
        return f"hsl({4 if ratio > 1 else 212},80%,{92 - round(32 * strength)}%)"

    def sentence(self, node: int) -> str:
        """Return the shares of a frame as text."""
        before, after = (f"{100 * float(side[node]):.2f}%" for side in (self.before, self.after))
        return f"{before} → {after} {self.of}"

    def as_json(self) -> dict[str, object]:
        """Return the columns for flamegraph.js."""
        return {
            "before": self.before.round(_DIGITS).tolist(),
            "after": self.after.round(_DIGITS).tolist(),
            "colors": [self.color(node) for node in range(len(self.after))],
            "of": self.of,
        }


def compare_trees(tree: Tree, before: Tree) -> dict[str, Shares]:
    """Return the shares of the nodes of a tree by weight: time, calls and errors.

    Shares do not depend on the load. Errors are relative to all calls.
    """
    matching = _matching_nodes(tree, before)
    found = {}
    for name, column in (("time", "self"), ("calls", "calls"), ("errors", "failed")):
        whole = "calls" if name == "errors" else column
        after_shares = _shares(tree, column, whole)
        before_shares = np.zeros(len(tree.parent))
        known = matching >= 0
        np.add.at(before_shares, matching[known], _shares(before, column, whole)[known])
        found[name] = Shares(before_shares, after_shares, _OF[name])
    return found


def _shares(tree: Tree, column: str, whole: str) -> Floats:
    total = getattr(tree, whole).sum(dtype=np.float64)  # may exceed the largest int64
    shares: Floats = getattr(tree, column) / max(total, 1)
    parents = tree.parent.tolist()
    for node in reversed(range(len(parents))):  # a parent comes before its children
        if parents[node] >= 0:
            shares[parents[node]] += shares[node]
    return shares


def _matching_nodes(tree: Tree, before: Tree) -> Int64s:
    """Return the node of the same chain for each node of another tree; -1 for none."""
    nodes = {key: node for node, key in enumerate(_keys(tree, tree.parent.tolist()))}
    found: list[int] = []
    names, started = before.name.tolist(), before.started.tolist()
    for node, parent in enumerate(before.parent.tolist()):
        above = found[parent] if parent >= 0 else -1
        key = above, before.names[names[node]], started[node]
        found.append(nodes.get(key, -1) if above >= 0 or parent < 0 else -1)
    return np.array(found, np.int64)


def _keys(tree: Tree, parents: list[int]) -> list[tuple[int, str, int]]:
    names = (tree.names[name] for name in tree.name.tolist())
    return list(zip(parents, names, tree.started.tolist(), strict=True))
