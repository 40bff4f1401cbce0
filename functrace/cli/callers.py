"""The verb ``functrace callers``: the call chains that lead to a function."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from functrace import units
from functrace.cli import (
    folding,
    reading_options,
    renamed,
    report_notes,
    shared_options,
    store_options,
    trace_arguments,
)
from functrace.cli.render import callers_text, terminal
from functrace.cli.stored_functions import find_functions
from functrace.cli.trace_arguments import split_arguments
from functrace.errors import FunctraceError, UsageError
from functrace.object_stores import is_url
from functrace.text import callers_json, layout, similar_names

if TYPE_CHECKING:
    from functrace.analysis.call_chains import CallChain
    from functrace.analysis.caller_chains import CallerChains
    from functrace.cli.report_notes import Notes
    from functrace.cli.store_options import ChosenStore
    from functrace.rollup.query import StoreQuery

_DEFAULT_LIMIT = 20
_SAMPLED = (
    "error texts and --min-duration counts are incomplete: only a sample of the calls was examined"
)


@dataclass(frozen=True)
class _Options:
    function: str
    min_duration: str | None
    errors: bool
    min_count: int
    sort: str | None
    limit: int | None
    full: bool


@click.command()
@click.argument("function", metavar="FUNC")
@store_options.traces_or_store
@reading_options.errors("Show only chains with failed calls.")
@reading_options.min_duration("Show only chains with calls that took TIME or longer.")
@click.option(
    "--min-count",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Show only chains with at least N calls; with --errors or --min-duration, N matching "
    "calls.",
)
@click.option(
    "--sort",
    type=click.Choice(["calls", "total", "self", "p99", "errors"]),
    help="Sort by this column, largest first.  [default: calls that match the filters]",
)
@reading_options.limit(f"{_DEFAULT_LIMIT}; all with --json")
@click.option(
    "--full", is_flag=True, help="Show complete chains: do not fold recursion or shorten."
)
@folding.dask
@shared_options.as_json
@shared_options.color
@renamed.refuse_options("callers")
def callers(traces: tuple[str, ...], dask: str | None, as_json: bool, **flags: Any) -> None:
    """Show every call chain that leads to FUNC, with its calls, times and failures.

    FUNC is a name such as store.Get, Get or 'store.*'. TRACE is a trace file, a folder of traces or
    a URL of these such as 's3://bucket/*.ftrace'; several traces are merged. TIME is 5us, 2ms or
    1.5s.
    """
    store = store_options.pop_store(traces, flags)
    if store is not None and dask is not None:
        raise UsageError("--dask requires traces, not --store")
    if store is not None or dask is not None or any(map(is_url, traces)):
        options = _Options(**flags)
        _check_for_store(options)
        with nullcontext(store) if store else folding.rolled_up(traces, dask) as chosen:
            _read_store(chosen, options, as_json=as_json)
        return
    flags["function"], paths = split_arguments(flags["function"], traces)
    options = _Options(**flags)
    found = _find(paths, options)
    _report(found, options, report_notes.TraceNotes(found.forest.traces), as_json=as_json)


def _read_store(store: ChosenStore, options: _Options, *, as_json: bool) -> None:
    with report_notes.reading(store) as query:
        found, notes = report_notes.read_with_notes(
            query, lambda: _find_in_store(store.name, query, options)
        )
        _report(found, options, notes, as_json=as_json)


def _report(found: CallerChains, options: _Options, notes: Notes, *, as_json: bool) -> None:
    chains = _ranked(found, options, notes)
    if found.sampled:
        terminal.echo(f"functrace: {_SAMPLED}", err=True, fg="yellow")
    limit = options.limit if options.limit is not None else 0 if as_json else _DEFAULT_LIMIT
    shown = chains[:limit] if limit else chains
    if as_json:
        report = callers_json.report(found, shown, len(chains))
        terminal.print_json({**report, **notes.as_json()})
    else:
        callers_text.show(found, options.function, options.min_duration, shown, len(chains))
        notes.show()


def _check_for_store(options: _Options) -> None:
    if options.min_duration:
        raise UsageError(
            "--min-duration requires traces in files: a store has histograms, not single calls, and"
            " traces at URLs or on a cluster are rolled up; use --sort p99"
        )


def _find_in_store(place: str, query: StoreQuery, options: _Options) -> CallerChains:
    from functrace.analysis.caller_chains import CallerFilter
    from functrace.rollup.stored_callers import find_stored_callers
    from functrace.rollup.stored_chains import rows_of, stored_chains

    definitions = rows_of(query.definitions())
    functions = find_functions(place, definitions, options.function)
    rows = rows_of(query.chains(functions))
    call_filter = CallerFilter(failed=options.errors, unfold_recursion=options.full)
    return find_stored_callers(stored_chains(place, rows, definitions), functions, call_filter)


def _find(paths: tuple[str, ...], options: _Options) -> CallerChains:
    from functrace.analysis.caller_chains import CallerFilter, find_caller_chains
    from functrace.analysis.function_filter import function_filter

    min_duration_ns = units.parse_duration(options.min_duration) if options.min_duration else 0
    opened = trace_arguments.open_all(paths)
    matches = function_filter(opened, [options.function])
    if not any(matches(function) for trace in opened for function in trace.functions):
        raise similar_names.no_function_error(options.function, opened)
    call_filter = CallerFilter(
        failed=options.errors, min_duration_ns=min_duration_ns, unfold_recursion=options.full
    )
    found = find_caller_chains(
        opened,
        lambda trace: {i for i, function in enumerate(trace.functions) if matches(function)},
        call_filter,
    )
    trace_arguments.warn_of_damage((chains.trace, chains.damage) for chains in found.forest.chains)
    trace_arguments.warn_of_missing_joins(found.forest)
    return found


def _ranked(found: CallerChains, options: _Options, notes: Notes) -> list[CallChain]:
    chains = [chain for chain in found.chains if found.count(chain) >= options.min_count]
    if not chains:
        raise FunctraceError(_no_chain_message(found, options), *notes.sentences())
    keys = {
        None: found.count,
        "calls": lambda chain: chain.calls,
        "total": lambda chain: chain.total,
        "self": lambda chain: chain.self,
        "p99": lambda chain: found.percentile(chain, 99),
        "errors": lambda chain: chain.failed,
    }
    return sorted(chains, key=keys[options.sort], reverse=True)


def _no_chain_message(found: CallerChains, options: _Options) -> str:
    calls = found.overall().calls
    if not calls:
        return f"{options.function} was not called in this recording"
    if found.chains:
        return f"no chain to {options.function} has {options.min_count} matching calls"
    what = ["failed"] if options.errors else []
    what += [f"took {options.min_duration} or longer"] if options.min_duration else []
    none = f"{options.function}: none of {units.several(calls, 'call')} {' and '.join(what)}"
    return f"{none}; {_other_failures(found) if options.errors else _longest(found)}"


def _other_failures(found: CallerChains) -> str:
    """Return the functions with the most failed calls."""
    from functrace.analysis.columns import summed

    forest = found.forest
    if forest.is_stored:  # only these functions were read
        return "functrace report --errors shows the functions with failed calls"
    failed = summed(forest.errors + forest.panics, forest.function, len(forest.functions))
    ranked = [f for f in (-failed).argsort(kind="stable").tolist() if failed[f]][:3]
    if not ranked:
        return "no other call failed either"
    names = layout.Names(forest.functions, forest.services)
    return "functions with failed calls: " + ", ".join(
        f"{names[f]} {units.count(int(failed[f]))}" for f in ranked
    )


def _longest(found: CallerChains) -> str:
    longest = max((int(found.forest.max[node]) for node in found.nodes), default=0)
    return f"the longest took {units.duration(longest)}"
