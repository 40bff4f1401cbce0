"""Functions of a store that an argument selects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from functrace.text import similar_names


def find_functions(place: str, definitions: Iterable[Mapping[str, Any]], glob: str) -> list[str]:
    """Return the names of the functions that match a glob, sorted.

    Args:
        place: the store, for messages.
        definitions: rows of StoreQuery.definitions.
        glob: the glob, or the name of a request.

    Raises:
        FunctraceError: there are none.
    """
    from functrace.analysis.function_filter import function_filter
    from functrace.rollup.stored_chains import stored_functions

    known = stored_functions(place, definitions)
    matches = function_filter([known], [glob])
    found = {function.name for function in known.functions if matches(function)}
    if not found:
        raise similar_names.no_function_error(glob, [known])
    return sorted(found)
