"""All findings of a triage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functrace.analysis.chains import Chains
from functrace.analysis.losses import missing
from functrace.analysis.merge import Forest, merge
from functrace.analysis.requests.crossing import follow
from functrace.analysis.triage import failing, never_ended, recursion, repeated, slow, swallowed
from functrace.analysis.triage.listed_calls import list_calls
from functrace.tracefile import Trace


@dataclass(frozen=True)
class Loss:
    """What a trace does not contain, or what in it cannot be read."""

    trace: Trace
    reason: str


@dataclass(frozen=True, eq=False)
class Triage:
    """Findings of each kind, most important first."""

    forest: Forest
    losses: list[Loss]
    failing: list[failing.FailingChain]
    swallowed: list[swallowed.SwallowedFailure]
    never_ended: list[never_ended.NeverEnded]
    slow: list[slow.SlowChain]
    repeated: list[repeated.RepeatedChain]
    recursion: list[recursion.GrowingRecursion]
    sampled: frozenset[str]
    """kinds whose findings cover only a part of the calls, since there were too many"""

    @property
    def is_healthy(self) -> bool:
        """Whether nothing was found and nothing is missing."""
        return not any(
            (
                self.losses,
                self.failing,
                self.swallowed,
                self.never_ended,
                self.slow,
                self.repeated,
                self.recursion,
            )
        )


def triage(traces: Sequence[Trace]) -> Triage:
    """Return the findings in traces, which are evaluated together. Each trace is read once."""
    followed, crossing = follow(traces)
    listed = list_calls(followed)
    failed = [each.failed for each in listed]
    forest = merge([each.chains for each in listed], crossing)
    has_all_failed = not any(each.calls.truncated for each in failed)
    sampled = {
        "failing": not has_all_failed,
        "swallowed": not has_all_failed,
        "slow": any(each.slow.is_sample for each in listed),
    }
    return Triage(
        forest=forest,
        losses=[loss for chains in forest.chains for loss in _losses(chains)],
        failing=failing.find_failing(forest, failed, crossing),
        swallowed=swallowed.find_swallowed(forest, failed),
        never_ended=never_ended.find_never_ended(forest, [each.last for each in listed]),
        slow=slow.find_slow(forest, [each.slow for each in listed]),
        repeated=repeated.find_repeated(forest),
        recursion=recursion.find_growing_recursion(forest),
        sampled=frozenset(kind for kind, is_sampled in sampled.items() if is_sampled),
    )


def _losses(chains: Chains) -> list[Loss]:
    trace = chains.trace
    fallback = trace.process.get("fallback")
    reasons = [*missing(trace), *chains.damage, *([str(fallback)] if fallback else [])]
    return [Loss(trace, reason) for reason in reasons]
