"""Trees of callees or of callers, with the figures of one selection or of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis.columns import Bools, Int32s, Int64s, summed
from functrace.analysis.merge import Forest, below, levels, merge
from functrace.view.weights import COLUMNS, Weights

_MAX_NODES = 500_000
_MAX_LEVELS = 512

Figures = dict[str, Int64s]


@dataclass(frozen=True, eq=False)
class Tree:
    """Nodes of a tree; a parent precedes its children."""

    parent: Int64s
    function: Int64s
    """index into the forest's functions"""
    started: Bools
    """whether the function runs on a track that its parent started"""
    figures: list[Figures]
    """columns of each selection"""
    is_truncated: bool

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.parent)


def join(selections: Sequence[Sequence[Weights]]) -> tuple[Forest, list[Figures]]:
    """Return the forest of all chains, and the figures of each selection by node of the forest."""
    every = [weights for selection in selections for weights in selection]
    forest = merge([weights.chains for weights in every])
    figures = []
    index = 0
    for selection in selections:
        columns = {name: np.zeros(len(forest), np.int64) for name in COLUMNS}
        for weights in selection:
            nodes = forest.nodes.of(index, np.arange(len(weights.chains), dtype=np.int32))
            for name, column in columns.items():
                column += summed(getattr(weights, name), nodes, len(forest))
            index += 1
        figures.append(columns)
    return forest, figures


def callees(forest: Forest, figures: list[Figures], chosen: Bools | None) -> Tree:
    """Return the trees of callees of the outermost calls of the chosen nodes; None: of all."""
    if chosen is None:
        is_root = forest.parent < 0
    else:
        is_root = chosen & ~below(forest, np.flatnonzero(chosen).tolist())
    grower = _Grower(figures)
    place = np.full(len(forest) + 1, -1, np.int64)  # the last is for the parent of a root
    for nodes in levels(forest.parent.astype(np.int64)):
        parent = place[forest.parent[nodes]]
        grown = (parent >= 0) | is_root[nodes]
        nodes, parent = nodes[grown], parent[grown]
        started = forest.started[nodes] & (parent >= 0)
        place[nodes] = grower.grow(parent, forest.function[nodes], started, nodes)
    return grower.tree()


def callers(forest: Forest, figures: list[Figures], chosen: Bools | None) -> Tree:
    """Return the trees of callers of the chosen nodes; None: of all, by their self time.

    The figures of a caller are those of the calls that it led to. The time of a call inside
    another chosen one counts once.
    """
    nodes = np.flatnonzero(np.ones(len(forest), np.bool_) if chosen is None else chosen)
    own = [{name: column.copy() for name, column in each.items()} for each in figures]
    for each in own:
        if chosen is None:
            each["total"] = each["self"]
        else:
            inner = below(forest, nodes.tolist())
            each["total"][inner] = each["suspended"][inner] = 0
    has_figures = np.any([each["calls"][nodes] > 0 for each in own], axis=0)
    nodes = nodes[has_figures]
    grower = _Grower(own)
    parent = np.full(len(nodes), -1, np.int64)
    cursor: Int32s = nodes.astype(np.int32)
    started = np.zeros(len(nodes), np.bool_)
    while len(nodes):
        parent = grower.grow(parent, forest.function[cursor], started, nodes)
        started = forest.started[cursor]
        outer = forest.parent[cursor]
        is_left = (outer >= 0) & (parent >= 0)
        nodes, parent, cursor = nodes[is_left], parent[is_left], outer[is_left]
        started = started[is_left]
    return grower.tree()


class _Grower:
    """Builder of a tree, level by level."""

    def __init__(self, figures: list[Figures]) -> None:
        self._figures = figures
        self._count = 0
        self._levels = 0
        self._is_truncated = False
        self._columns: list[tuple[Int64s, Int64s, Bools]] = []
        self._sums: list[list[Figures]] = []

    def grow(self, parent: Int64s, function: Int32s, started: Bools, nodes: Int64s) -> Int64s:
        """Add a level of nodes; equal ones are merged.

        Args:
            parent: place of each node's parent, or -1.
            function: function of each node.
            started: whether it was started by its parent.
            nodes: nodes of the forest whose figures count.

        Returns:
            The place of each node in the tree, -1 beyond the limits.
        """
        key = np.stack([parent, function.astype(np.int64), started.astype(np.int64)])
        distinct, place = np.unique(key, axis=1, return_inverse=True)
        count = distinct.shape[1]
        self._levels += 1
        if self._count + count > _MAX_NODES or self._levels > _MAX_LEVELS:
            self._is_truncated |= bool(count)
            return np.full(len(nodes), -1, np.int64)
        place = place.reshape(-1)
        self._columns.append((distinct[0], distinct[1], distinct[2].astype(np.bool_)))
        self._sums.append(
            [
                {name: summed(column[nodes], place, count) for name, column in each.items()}
                for each in self._figures
            ]
        )
        first, self._count = self._count, self._count + count
        places: Int64s = first + place
        return places

    def tree(self) -> Tree:
        """Return the tree."""
        empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))
        parent, function, started = zip(*(self._columns or [empty]), strict=True)
        figures = [
            {
                name: np.concatenate(
                    [np.empty(0, np.int64), *(level[side][name] for level in self._sums)]
                )
                for name in COLUMNS
            }
            for side in range(len(self._figures))
        ]
        return Tree(
            np.concatenate(parent),
            np.concatenate(function),
            np.concatenate(started),
            figures,
            self._is_truncated,
        )


def include_callees(tree: Tree, selection: int) -> None:
    """Add to the figures of each node, in one of the selections, those of the nodes below.

    So they describe the selected calls that a node is or led to, where most nodes have none.
    """
    figures = tree.figures[selection]
    figures["total"] = figures["self"] + figures["waiting"]
    for nodes in reversed(levels(tree.parent)):
        inner = nodes[tree.parent[nodes] >= 0]
        for name in ("calls", "failed", "total"):
            np.add.at(figures[name], tree.parent[inner], figures[name][inner])


def largest(tree: Tree, limit: int) -> tuple[Int64s, bool]:
    """Return the ``limit`` nodes with the largest shares of time or calls, and whether any is left.

    With a node, its parent is among them.
    """
    share = np.zeros(len(tree))
    for each in tree.figures:
        time = max(int(each["total"][tree.parent < 0].sum()), 1)
        calls = max(int(each["calls"].sum()), 1)
        share = np.maximum(share, np.maximum(each["total"] / time, each["calls"] / calls))
    for nodes in reversed(levels(tree.parent)):
        inner = nodes[tree.parent[nodes] >= 0]
        np.maximum.at(share, tree.parent[inner], share[inner])
    has_calls = np.any([each["calls"] > 0 for each in tree.figures], axis=0)
    for nodes in reversed(levels(tree.parent)):
        inner = nodes[(tree.parent[nodes] >= 0) & has_calls[nodes]]
        has_calls[tree.parent[inner]] = True
    order = np.argsort(-share, kind="stable")  # equal ones: parents first
    order = order[has_calls[order]]
    return np.sort(order[:limit]), len(order) > limit
