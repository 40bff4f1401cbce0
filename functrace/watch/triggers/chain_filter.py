"""Selection of chains by the names of their functions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from functrace.globs import compile_list
from functrace.watch.figures import OTHER_CHAIN, ChainNames
from functrace.watch.triggers.finding import ChainSettings


class ChainFilter:
    """Chains whose innermost function is judged. Each chain is looked up once."""

    def __init__(self, settings: ChainSettings) -> None:
        self._includes = compile_list(settings.functions)
        self._excludes = compile_list(settings.exclude) if settings.exclude else _nothing
        self._known = np.zeros(0, np.bool_)

    def of(self, names: ChainNames) -> npt.NDArray[np.bool_]:
        """Return whether each chain is judged, by chain."""
        count = len(names)
        if count > len(self._known):
            added = [self._is_judged(names, chain) for chain in range(len(self._known), count)]
            self._known = np.concatenate([self._known, np.array(added, np.bool_)])
        return self._known

    def _is_judged(self, names: ChainNames, chain: int) -> bool:
        function = names.function(chain) if chain != OTHER_CHAIN else None
        if function is None:
            return False
        return self._includes(function.name) and not self._excludes(function.name)


def _nothing(_name: str) -> bool:
    return False


def innermost(names: ChainNames, chains: npt.NDArray[np.int64] | list[int]) -> list[int]:
    """Return those of several chains that do not lead to another one of them."""
    found = {int(chain) for chain in chains}
    callers = {above for chain in found for above in names.lineage(chain)[1:]}
    return sorted(found - callers)


def last_name(names: ChainNames, chain: int) -> str:
    """Return the name of the innermost function of a chain."""
    return names.functions(chain)[-1]
