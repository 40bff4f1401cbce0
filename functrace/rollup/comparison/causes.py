"""Changes at the chains where they begin, with those that follow from them folded into them.

A caller is slower because its callee is, fails because its callee does, and calls others less often
once it has failed. Each rule compares how much of a change another one accounts for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp

from functrace.rollup.comparison.difference import Difference, Pair
from functrace.rollup.comparison.sides import Side

_MIN_SHARE = 0.5
"""A change follows from others that account for this share of it."""
_GROUPS = {
    "appeared": "calls",
    "vanished": "calls",
    "called_more": "calls",
    "called_less": "calls",
    "fails_more": "failures",
    "fails_less": "failures",
    "slower": "durations",
    "faster": "durations",
}
_Found = Sequence[Difference]


@dataclass(eq=False)
class Cause:
    """Difference that begins at a chain, and the chains with changes that follow from it.

    A difference that may be chance by itself is a change if a change follows from it: its caller
    may have more failures than it has, or be slower in more instances than call it often enough.
    """

    kind: str
    chain: int
    p_value: float
    is_change: bool
    affected: list[int] = field(default_factory=list)

    def add(self, chains: Iterable[int]) -> None:
        """Add chains with changes that follow from this one."""
        self.affected += chains
        self.is_change = True


def find_causes(pair: Pair, differences: Mapping[Difference, bool]) -> list[Cause]:
    """Return the differences that do not follow from others.

    Args:
        pair: both sides.
        differences: those that are changes unless they are chance, and whether they are not.
    """
    groups: defaultdict[str, defaultdict[int, list[Difference]]]
    groups = defaultdict(lambda: defaultdict(list))
    for each in differences:
        groups[_GROUPS[each.kind]][each.chain].append(each)
    causes = _Causes(pair, differences)
    for found in groups["calls"].values():
        causes.keep(found)
    causes.ascend("failures", groups["failures"], causes.of_failures)
    causes.fold_calls_after_failures()
    causes.ascend("durations", groups["durations"], causes.of_durations)
    return [cause for several in causes.by_chain.values() for cause in several]


class _Causes:
    """Causes that are known so far, by chain."""

    def __init__(self, pair: Pair, is_change: Mapping[Difference, bool]) -> None:
        self._pair = pair
        self._is_change = is_change
        self._parents = pair.tree.parents
        self.by_chain: defaultdict[int, list[Cause]] = defaultdict(list)

    def keep(self, found: _Found) -> None:
        """Keep a difference as a cause."""
        first = min(found, key=lambda each: (not self._is_change[each], each.p_value))
        cause = Cause(first.kind, first.chain, first.p_value, self._is_change[first])
        self.by_chain[first.chain].append(cause)

    def ascend(
        self,
        group: str,
        differences: dict[int, list[Difference]],
        find: Callable[[_Found, Sequence[int]], Cause | None],
    ) -> None:
        """Keep or fold the differences of each chain, callees before their callers.

        Args:
            group: the kinds of the differences.
            differences: differences by chain.
            find: returns the cause of the differences of a chain, given the nearest chains with
                causes below it.
        """
        below: defaultdict[int, list[int]] = defaultdict(list)
        for chain in reversed(range(len(self._parents))):
            nearest = below.pop(chain, [])
            found = differences.get(chain)
            if found:
                cause = find(found, nearest)
                if cause is None:
                    self.keep(found)
                elif any(self._is_change[each] for each in found):
                    cause.add([chain])
            if self._parents[chain] >= 0:
                below[self._parents[chain]] += [chain] if self._known(chain, group) else nearest

    def of_failures(self, found: _Found, nearest: Sequence[int]) -> Cause | None:
        """Return the cause of the failures of a chain: its callees' failures."""
        chain = found[0].chain
        return self._main_part("failures", "failed", chain, nearest)

    def of_durations(self, found: _Found, nearest: Sequence[int]) -> Cause | None:
        """Return the cause of the durations of a chain: its callees', or failures before its end.

        A change of its self time is its own, unless it waits for other tracks that it started.
        """
        chain = found[0].chain
        changes = [each for each in found if self._is_change[each]]
        if any(each.is_self for each in changes):
            changed = self._added("self_ns", chain, chain)
            waited = [each for each in nearest if self._is_started(each, chain)]
            cause = self._main_part("durations", "total_ns", chain, waited, changed)
        else:
            changed = self._added("total_ns", chain, chain)
            cause = self._main_part("durations", "p50_ns", chain, nearest)
            cause = cause or self._main_part("durations", "total_ns", chain, nearest)
        before = self._pair.sides[0].sums
        share = abs(changed) * int(before.calls[chain]) / max(int(before.total_ns[chain]), 1)
        return cause or self._failure(share, chain, [chain, *nearest])

    def fold_calls_after_failures(self) -> None:
        """Fold calls that are made, or no longer made, because something failed before."""
        failing = [c.chain for several in self.by_chain.values() for c in several if _fails(c)]
        above = {chain: set(self._pair.tree.path(chain)) for chain in failing}
        for chain in [c for c in self.by_chain if self._parents[c] >= 0]:
            caller = self._parents[chain]
            beside = [each for each in failing if caller in above[each]]
            changed = abs(self._added("calls", chain, caller))
            for cause in [each for each in self.by_chain[chain] if _GROUPS[each.kind] == "calls"]:
                failure = self._failure(changed, caller, beside)
                if failure is not None:
                    self.by_chain[chain].remove(cause)
                    if cause.is_change:
                        failure.add([chain, *cause.affected])

    def _known(self, chain: int, group: str) -> Cause | None:
        """Return a change of a chain, or a difference that may be chance and explains this group.

        More calls explain longer durations of the caller.
        """
        groups = {group, "calls"} if group == "durations" else {group}
        usable = (
            c for c in self.by_chain.get(chain, ()) if c.is_change or _GROUPS[c.kind] in groups
        )
        return next(usable, None)

    def _main_part(
        self,
        group: str,
        figure: str,
        chain: int,
        causes: Sequence[int],
        changed: float | None = None,
    ) -> Cause | None:
        """Return the largest cause if causes account for most of a change per call of a chain.

        The change is that of the same figure of the chain if it is not given.
        """
        changed = self._added(figure, chain, chain) if changed is None else changed
        sign = 1 if changed > 0 else -1
        parts = {each: sign * self._added(figure, each, chain) for each in causes}
        if not parts or sum(parts.values()) < _MIN_SHARE * abs(changed) or not changed:
            return None
        return self._known(max(parts, key=lambda each: parts[each]), group)

    def _failure(self, changed: float, caller: int, causes: Iterable[int]) -> Cause | None:
        """Return the failure that accounts for a change of this many calls per call of a chain."""
        for chain in causes:
            if abs(self._added("failed", chain, caller)) >= _MIN_SHARE * changed:
                for cause in self.by_chain.get(chain, ()):
                    if _fails(cause):
                        return cause
        return None

    def _added(self, figure: str, chain: int, caller: int) -> float:
        """Return the change of a figure of a chain per call of the same or another chain.

        Times are those of machines of the same speed.
        """
        slowdown = exp(self._pair.log_ratio) if figure.endswith("_ns") else 1.0
        before, after = (self._per_call(side, figure, chain, caller) for side in self._pair.sides)
        return after / slowdown - before

    def _per_call(self, side: Side, figure: str, chain: int, caller: int) -> float:
        sums = side.sums
        if figure == "p50_ns":
            amount = int(sums.calls[chain]) * sums.percentile_ns(chain, 50)
        else:
            amount = int(getattr(sums, figure)[chain])
        return amount / max(int(sums.calls[caller]), 1)

    def _is_started(self, chain: int, caller: int) -> bool:
        """Return whether a chain below a caller runs on another track."""
        while chain != caller:
            if self._pair.tree.started[chain]:
                return True
            chain = self._parents[chain]
        return False


def _fails(cause: Cause) -> bool:
    return _GROUPS[cause.kind] == "failures"
