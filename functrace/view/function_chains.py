"""Chains to each of many functions, from reading the traces once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from functrace.analysis.call_chains import CallChain
from functrace.analysis.caller_chains import CallerChains, CallerFilter
from functrace.view.api.chains import find_chains
from functrace.view.session import Session


def chains_by_function(
    session: Session, names: Sequence[str]
) -> Iterator[tuple[str, CallerChains]]:
    """Yield each name whose functions were called, with the chains to them."""
    if not names:
        return
    every = find_chains(session, set(names), CallerFilter())
    forest = every.forest
    of_name: defaultdict[str, list[CallChain]] = defaultdict(list)
    for chain in every.chains:
        of_name[forest.functions[forest.function[chain.nodes[0]]].name].append(chain)
    for name in names:
        chains = of_name[name]
        if not chains:
            continue
        functions = tuple(
            {index for index in chosen if trace.functions[index].name == name}
            for trace, chosen in zip(forest.traces, every.functions, strict=True)
        )
        nodes = sorted(node for chain in chains for node in chain.nodes)
        yield name, replace(every, functions=functions, nodes=nodes, chains=chains)


def has_open_chain(found: CallerChains) -> bool:
    """Return whether no call of a chain has failed or ended, so that it has no example yet."""
    forest = found.forest
    return any(
        all(forest.failed[node] < 0 and forest.slowest[node] < 0 for node in chain.nodes)
        for chain in found.chains
    )
