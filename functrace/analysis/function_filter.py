"""Selection of a trace's functions by globs and by names of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from functrace.globs import compile_list
from functrace.tracefile import Function, Trace


def matching_functions(trace: Trace, globs: Iterable[str], option: str = "") -> set[int]:
    """Return the indices of the functions of a trace that match any of ``globs``.

    Raises:
        UsageError: a glob of ``option`` is invalid.
    """
    matches = function_filter([trace], globs, option)
    return {i for i, function in enumerate(trace.functions) if matches(function)}


def function_filter(
    traces: Iterable[Trace], selectors: Iterable[str], option: str = ""
) -> Callable[[Function], bool]:
    """Return a predicate for functions that match a glob, or are the request of that name.

    Raises:
        UsageError: a selector is neither a valid glob nor the name of a request.
    """
    every = tuple(selectors)
    names = {f.name for trace in traces for f in trace.functions if f.direction} & set(every)
    matches = compile_list([each for each in every if each not in names], option)
    return lambda function: function.name in names or matches(function.name)


def shown_functions(
    trace: Trace, include: Sequence[str], exclude: Sequence[str]
) -> set[int] | None:
    """Return the indices of the functions that ``--include`` and ``--exclude`` leave; None: all."""
    if not include and not exclude:
        return None
    shown = set(range(len(trace.functions)))
    if include:
        shown = matching_functions(trace, include, "--include")
    return shown - matching_functions(trace, exclude, "--exclude")
