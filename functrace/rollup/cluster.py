"""Folding of many traces on a Dask cluster: one task for each trace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from functrace import extras
from functrace.errors import FunctraceError
from functrace.rollup import reduction
from functrace.rollup.folding import Files, Folded, FoldOptions, fold_place
from functrace.rollup.layout import StoredFile

_CONNECT_S = 30
_RETRIES = 3  # of a task that raised an error; one whose worker died is repeated anyway
_MERGED = 16  # files of as many traces, or earlier results, that a task merges
_MAX_REASON = 200

Put = Callable[[StoredFile, dict[str, bytes]], None]


def fold_on_cluster(
    scheduler: str, places: Sequence[str], options: FoldOptions, out: str, written: int
) -> Iterator[Folded]:
    """Yield what became of each trace, in the order in which the workers are done.

    A task is repeated on another worker if its worker dies; it writes the same files again. One
    that fails again and again has the error as its result.

    Args:
        scheduler: address of the scheduler, such as ``tcp://scheduler:8786``.
        places: paths or URLs of traces, which the workers can read.
        options: the same as for fold_place().
        out: the same.
        written: the same.

    Raises:
        FunctraceError: Dask is not installed, or the scheduler cannot be reached any more.
    """
    with _connected(scheduler) as client:
        tasks = _start(client, places, options, out, written)
        yield from _results(scheduler, client, tasks, places)


def fold_and_merge(
    scheduler: str, places: Sequence[str], options: FoldOptions, written: int, put: Put
) -> Iterator[Folded]:
    """Yield what became of each trace, then put the sum of all rollups: a file for each service.

    The files of traces stay on the workers, which merge them in a tree.

    Args:
        scheduler: address of the scheduler.
        places: paths or URLs of traces, which the workers can read.
        options: the same as for fold_place().
        written: the same.
        put: stores a file with its contents.

    Raises:
        FunctraceError: Dask is not installed, the scheduler cannot be reached any more, or the
            files could not be merged.
    """
    with _connected(scheduler) as client:
        places = list(dict.fromkeys(places))
        tasks = _start(client, places, options, "", written)
        descriptions = client.map(reduction.without_contents, tasks, pure=False)
        folded = []
        for each in _results(scheduler, client, descriptions, places):
            folded.append(each)
            yield replace(each, files=())
        task_of = dict(zip(places, tasks, strict=True))
        parts = [
            client.submit(reduction.files_of, task_of[place], files, pure=False)
            for place, files in reduction.current_files(folded).items()
        ]
        tasks.clear()  # the cluster keeps what the parts still require
        task_of.clear()
        while len(parts) > 1:
            groups = [parts[at : at + _MERGED] for at in range(0, len(parts), _MERGED)]
            parts = [client.submit(reduction.merge, *group, pure=False) for group in groups]
        for part in parts:
            for file, contents in _merged(scheduler, part):
                put(file, contents)


@contextmanager
def _connected(scheduler: str) -> Iterator[Any]:
    """Yield a client of the scheduler."""
    extras.require("distributed", "dask", "--dask")
    import distributed

    dask: Any = distributed  # it has no types
    # It logs a lost connection with tracebacks; the errors that are raised here are enough.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = dask.Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise FunctraceError(f"{scheduler}: cannot reach the scheduler: {_reason(error)}") from None
    with client:
        yield client


def _start(
    client: Any, places: Sequence[str], options: FoldOptions, out: str, written: int
) -> list[Any]:
    """Start a task for each trace."""
    arguments = {"options": options, "out": out, "written": written}
    tasks: list[Any] = client.map(fold_place, places, **arguments, pure=False, retries=_RETRIES)
    return tasks


def _results(
    scheduler: str, client: Any, tasks: Sequence[Any], places: Sequence[str]
) -> Iterator[Folded]:
    """Yield the results of tasks, one for each trace, as they are done."""
    import distributed

    dask: Any = distributed
    place_of = {task.key: place for task, place in zip(tasks, places, strict=True)}
    for task in dask.as_completed(tasks, loop=client.loop):
        yield _result(scheduler, task, place_of[task.key])
        task.release()


def _result(scheduler: str, task: Any, place: str) -> Folded:
    error, found = _wait(scheduler, task)
    if error is None:
        folded: Folded = found
        return folded
    reason = f"{place}: its task failed on the cluster: {_reason(error)}"
    return Folded(place, error=reason, has_task_failed=True)


def _merged(scheduler: str, task: Any) -> Files:
    error, found = _wait(scheduler, task)
    if error is None:
        files: Files = found
        return files
    raise FunctraceError(f"{scheduler}: rollups could not be merged: {_reason(error)}")


def _wait(scheduler: str, task: Any) -> tuple[BaseException | None, Any]:
    """Return the error of a task, or None and its result."""
    try:
        error = task.exception()
        return (error, None) if error is not None else (None, task.result())
    except (CancelledError, OSError, TimeoutError):
        raise FunctraceError(f"{scheduler}: lost the connection to the scheduler") from None


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_REASON]
