"""Folding of traces into a store, on this machine or on a Dask cluster."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from functrace import extras, units
from functrace.cli import trace_arguments
from functrace.cli.render import terminal
from functrace.cli.render.progress import counter
from functrace.cli.store_options import ChosenStore
from functrace.errors import FunctraceError
from functrace.object_stores import is_url

if TYPE_CHECKING:
    from functrace.rollup.folding import Folded, FoldOptions

F = TypeVar("F", bound=Callable[..., Any])

dask: Callable[[F], F] = click.option(
    "--dask",
    metavar="ADDRESS",
    help="Fold on the Dask cluster of this scheduler, such as tcp://scheduler:8786.",
)


@contextmanager
def folded_all(
    traces: tuple[str, ...],
    options: FoldOptions,
    out: str,
    scheduler: str | None,
    *,
    is_summed: bool = False,
) -> Iterator[list[Folded]]:
    """Fold traces and add them to a store. Yield those that could be read and count.

    Print what is wrong with the others.

    Args:
        traces: files, folders, process ids, program names and URLs.
        options: labels, and length of a window.
        out: folder or URL of the store.
        scheduler: address of a Dask scheduler; None to fold on this machine.
        is_summed: whether a cluster may add up the chains of all traces, which have no labels then.

    Raises:
        FunctraceError: no trace could be read, the store cannot be written, or, at the end, some
            traces could not be folded on the cluster.
    """
    found = _fold(traces, options, out, scheduler, is_summed=is_summed)
    _report(found)
    yield _distinct(found)
    failed = sum(folded.has_task_failed for folded in found)
    if failed:
        number = f"{units.count(failed)} of {units.several(len(found), 'trace')}"
        raise FunctraceError(f"{number} could not be folded on the cluster; the rest is above")


@contextmanager
def rolled_up(traces: tuple[str, ...], scheduler: str | None) -> Iterator[ChosenStore]:
    """Yield a temporary store with the rollups of traces, named after these."""
    from functrace.rollup.folding import FoldOptions
    from functrace.rollup.rollup import HOUR_NS
    from functrace.rollup.selection import Selection

    extras.require("pyarrow", "store", "reading traces at URLs")
    options = FoldOptions("", "", "", HOUR_NS)
    with (
        tempfile.TemporaryDirectory(prefix="functrace-store-") as folder,
        folded_all(traces, options, folder, scheduler, is_summed=True),
    ):
        yield ChosenStore(folder, Selection(), " ".join(traces))


def _fold(
    traces: tuple[str, ...],
    options: FoldOptions,
    out: str,
    scheduler: str | None,
    *,
    is_summed: bool,
) -> list[Folded]:
    from functrace.rollup.cluster import fold_and_merge, fold_on_cluster
    from functrace.rollup.folding import fold_place
    from functrace.rollup.store import Store

    places = [place for trace in traces for place in _find(trace)]
    store, now = Store(out), time.time_ns()
    running: Iterable[Folded]
    if scheduler is None:
        running = (fold_place(place, options, out, now) for place in places)
    elif is_summed:
        running = fold_and_merge(scheduler, places, options, now, store.put)
    else:
        running = fold_on_cluster(scheduler, places, options, out, now)
    found = {}
    with counter("rolling up", len(places)) as show:
        for folded in running:
            for stored, contents in folded.files:
                store.replace(stored, contents)
            found[folded.place] = replace(folded, files=())
            show(len(found))
    return [found[place] for place in dict.fromkeys(places)]


def _find(trace: str) -> list[str]:
    """Return the paths or URLs of the traces that an argument names."""
    from functrace.remote_traces import find_urls
    from functrace.tracefile import find_trace_files

    return find_urls(trace) if is_url(trace) else list(map(str, find_trace_files(trace)))


def _report(found: list[Folded]) -> None:
    """Print what is wrong with traces.

    Raises:
        FunctraceError: none of them could be read.
    """
    errors = [folded.error for folded in found if folded.error]
    if len(errors) == len(found):
        raise FunctraceError(*errors)
    failed = [folded.error for folded in found if folded.has_task_failed]
    for error in failed:
        terminal.echo(f"functrace: {error}", err=True, fg="red")
    unreadable = [error for error in errors if error not in failed]
    trace_arguments.report_unreadable(unreadable, len(found) - len(unreadable))
    for folded in found:
        for note in folded.notes:
            terminal.echo(f"functrace: {folded.place}: {note}", err=True, fg="yellow")


def _distinct(found: list[Folded]) -> list[Folded]:
    """Return the longest trace of each recording."""
    chosen: dict[str, Folded] = {}
    for folded in found:
        if folded.error:
            continue
        other = chosen.setdefault(folded.recording, folded)
        if other is not folded:
            shorter, longer = sorted((other, folded), key=lambda each: each.span_ns)
            chosen[folded.recording] = longer
            sentence = (
                f"counts only in hours without calls in {longer.place}, a longer trace of the same"
                " recording"
            )
            terminal.echo(f"functrace: {shorter.place}: {sentence}", err=True, fg="yellow")
    return list(chosen.values())
