"""Call chains that lead to given functions, from a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from functrace.analysis.call_chains import chains_to
from functrace.analysis.caller_chains import CallerChains, CallerFilter
from functrace.rollup.stored_chains import StoredChains


def find_stored_callers(
    stored: StoredChains, functions: Collection[str], call_filter: CallerFilter
) -> CallerChains:
    """Return the chains to functions that have matching calls.

    Args:
        stored: chains of the functions, and of their callers.
        functions: names of the functions.
        call_filter: filter without a minimum duration: a store has no single calls.
    """
    forest = stored.forest()
    chosen = {i for i, function in enumerate(forest.functions) if function.name in functions}
    nodes = [
        node
        for node, function in enumerate(forest.function.tolist())
        if function in chosen and forest.calls[node]
    ]
    found = CallerChains(
        forest=forest,
        filter=call_filter,
        functions=(chosen,),
        nodes=nodes,
        chains=chains_to(forest, nodes, fold_recursion=not call_filter.unfold_recursion),
        listed_calls=Counter(),
        longest={},
        failures=stored.failures,
        sampled=False,
    )
    found.chains[:] = [chain for chain in found.chains if found.count(chain)]
    return found
