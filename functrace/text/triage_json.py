"""Findings of a triage as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from functrace.analysis.call_chains import chains_to
from functrace.export import demotion_rows, figures
from functrace.text import callers_json
from functrace.text.triage_commands import Commands

if TYPE_CHECKING:
    from functrace.analysis.examples import Example
    from functrace.analysis.merge import Forest
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

KINDS = ("losses", "failing", "swallowed", "never_ended", "slow", "repeated", "recursion")


def report(found: Triage, paths: Sequence[str], limit: int) -> dict[str, Any]:
    """Return at most ``limit`` findings of each kind; 0 means all."""
    findings = _Findings(found.forest)
    commands = Commands(found, paths)
    lists = {kind: getattr(found, kind) for kind in KINDS}
    return {
        "traces": [trace.place for trace in found.forest.traces],
        "calls": int(found.forest.calls.sum()),
        **{
            kind: [
                getattr(findings, kind)(each) | {"command": getattr(commands, kind)(each)}
                for each in (every[:limit] if limit else every)
            ]
            for kind, every in lists.items()
        },
        "more_findings": sum(max(len(every) - limit, 0) for every in lists.values() if limit),
        "sampled_findings": sorted(found.sampled),
        "demoted": demotion_rows.of_traces(found.forest.traces),
    }


class _Findings:
    """Converter of findings."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest

    def losses(self, each: Loss) -> dict[str, Any]:
        """Return the trace and what is missing."""
        return {"trace": str(each.trace.path), "loss": each.reason}

    def failing(self, each: FailingChain) -> dict[str, Any]:
        """Return the function, its failures, and their most frequent chain."""
        from functrace.analysis.examples import first_failed

        node = each.nodes.most_common(1)[0][0]
        return {
            **self._function(each.function),
            "pattern": each.pattern,
            "text": each.text,
            "is_panic": each.is_panic,
            "count": each.count,
            "uncaught": each.uncaught,
            "calls": each.calls,
            "first_failure_ns": each.first,
            "last_failure_ns": each.last,
            "chain_count": len(each.nodes),
            **self._chain(node, first_failed(self._forest, [node])),
        }

    def swallowed(self, each: SwallowedFailure) -> dict[str, Any]:
        """Return the function, its caller and the failures that this did not return."""
        return {
            **self._function(each.function),
            "caller": self._function(each.caller),
            "by_go_statement": each.by_go_statement,
            "pattern": each.pattern,
            "text": each.text,
            "is_panic": each.is_panic,
            "count": each.count,
            **self._chain(each.example.node, each.example),
        }

    def never_ended(self, each: NeverEnded) -> dict[str, Any]:
        """Return the innermost open function and its tracks."""
        return {
            **self._of_node(each.node),
            "track_count": each.tracks,
            "running_tracks": each.running,
            "waiting_tracks": each.waiting,
            "open_ns": each.open_for,
            **self._chain(each.node, each.example),
        }

    def slow(self, each: SlowChain) -> dict[str, Any]:
        """Return the function with its usual and its slow calls."""
        return {
            **self._of_node(each.node),
            "count": each.count,
            "outlier_total_ns": each.total,
            "max_ns": each.max,
            "limit_ns": each.limit,
            "p50_ns": each.p50,
            "p99_ns": each.p99,
            **self._chain(each.node, each.example),
        }

    def repeated(self, each: RepeatedChain) -> dict[str, Any]:
        """Return the callee, its caller and how often one called the other."""
        parent = int(self._forest.parent[each.node])
        return {
            **self._of_node(each.node),
            "caller": self._of_node(parent),
            "max_in_caller": each.max,
            "calls": each.calls,
            "caller_calls": each.caller_calls,
            "total_ns": each.total,
            "caller_total_ns": each.caller_total,
            **self._chain(each.node, each.example),
        }

    def recursion(self, each: GrowingRecursion) -> dict[str, Any]:
        """Return the function, its levels and how the deepest calls ended."""
        return {
            **self._of_node(each.node),
            "levels": each.levels,
            "calls": each.calls,
            "failed": each.failed,
            "unfinished": each.unfinished,
            **self._chain(each.node, each.example),
        }

    def _of_node(self, node: int) -> dict[str, Any]:
        return self._function(int(self._forest.function[node]))

    def _function(self, function: int) -> dict[str, Any]:
        return figures.place_in(self._forest, function)

    def _chain(self, node: int, example: Example | None) -> dict[str, Any]:
        (chain,) = chains_to(self._forest, [node])
        return {
            "steps": callers_json.steps(self._forest, chain, example),
            "example": callers_json.example_call(self._forest, example),
        }
