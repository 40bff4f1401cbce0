"""The call chains that lead to a function as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from functrace.export import figures
from functrace.text import coverage

if TYPE_CHECKING:
    from functrace.analysis.call_chains import CallChain, Link
    from functrace.analysis.caller_chains import CallerChains
    from functrace.analysis.examples import Example
    from functrace.analysis.merge import Forest


def report(found: CallerChains, chains: Sequence[CallChain], count: int) -> dict[str, Any]:
    """Return the figures of all calls and of each of ``chains``; there are ``count`` in all."""
    functions = sorted({int(found.forest.function[node]) for node in found.nodes})
    overall = found.overall()
    return {
        "functions": [_function(found, index) for index in functions],
        "traces": [chains.trace.place for chains in found.forest.chains],
        **figures.sums(overall),
        "partial": figures.partial(found.forest, overall),
        "p50_ns": found.overall_percentile(50),
        "p99_ns": found.overall_percentile(99),
        "chains": [
            _chain(found, chain, example)
            for chain, example in zip(chains, found.examples(chains), strict=True)
        ],
        "more_chains": count - len(chains),
        "sampled": found.sampled,
        **coverage.as_json(found.forest.traces),
    }


def _function(found: CallerChains, index: int) -> dict[str, Any]:
    return figures.place_in(found.forest, index)


def _chain(found: CallerChains, chain: CallChain, example: Example | None) -> dict[str, Any]:
    return {
        **figures.sums(chain),
        "partial": figures.partial(found.forest, chain),
        "matching": found.count(chain),
        "p50_ns": found.percentile(chain, 50),
        "p99_ns": found.percentile(chain, 99),
        "steps": steps(found.forest, chain, example),
        "cycles": [
            {
                "last_step": last,
                "length": length,
                "min_rounds": minimum,
                "max_rounds": maximum,
            }
            for (last, length), (minimum, maximum) in chain.rounds.items()
        ],
        "failures": [
            {
                "pattern": each.pattern,
                "text": each.text,
                "is_panic": each.panic,
                "calls": each.count,
            }
            for each in found.failure_texts(chain)
        ],
        "example": example_call(found.forest, example),
    }


def steps(forest: Forest, chain: CallChain, example: Example | None) -> list[dict[str, Any]]:
    """Return the functions of a chain, outermost first; the example shows where tracks began."""
    from functrace.analysis import call_chains

    node = example.node if example else chain.nodes[0]
    started = call_chains.links(forest, node, example.trace, example.track) if example else {}
    return [
        {
            **figures.place_in(forest, int(forest.function[step])),
            "started": bool(forest.started[step]),
            "started_at": _link(started.get(step)) if forest.started[step] else None,
        }
        for step in call_chains.steps(forest, chain, node)
    ]


def _link(link: Link | None) -> dict[str, Any]:
    if link is None:
        return {"kind": "unknown", "file": "", "line": 0}
    return {"kind": link.kind, "file": link.file, "line": link.line}


def example_call(forest: Forest, example: Example | None) -> dict[str, Any] | None:
    """Return an example call; None if there is none."""
    from functrace.analysis.examples import place_of

    if example is None:
        return None
    place = place_of(forest, example)
    return {
        "reason": example.reason,
        "trace": place.trace,
        "track": place.track,
        "kind": place.kind,
        "start_ns": place.start_ns,
        "duration_ns": example.duration,
        **({} if place.time_ns is None else {"time_ns": place.time_ns}),
    }
