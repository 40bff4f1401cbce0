"""Folding of many traces on a Dask cluster: one task for each trace."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any

from functrace import extras
from functrace.errors import FunctraceError
from functrace.rollup.folding import Folded, FoldOptions, fold_place

_CONNECT_S = 30
_RETRIES = 3  # of a task that raised an error; one whose worker died is repeated anyway
_MAX_REASON = 200


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
    extras.require("distributed", "dask", "--dask")
    import distributed

    dask: Any = distributed  # it has no types
    # It logs a lost connection with tracebacks; the error below is enough.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = dask.Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise FunctraceError(f"{scheduler}: cannot reach the scheduler: {_reason(error)}") from None
    with client:
        tasks = client.map(
            fold_place,
            places,
            options=options,
            out=out,
            written=written,
            pure=False,
            retries=_RETRIES,
        )
        place_of = {task.key: place for task, place in zip(tasks, places, strict=True)}
        for task in dask.as_completed(tasks, loop=client.loop):
            yield _result(scheduler, task, place_of[task.key])
            task.release()


def _result(scheduler: str, task: Any, place: str) -> Folded:
    try:
        error = task.exception()
        if error is None:
            found: Folded = task.result()
            return found
    except (CancelledError, OSError, TimeoutError):
        raise FunctraceError(f"{scheduler}: lost the connection to the scheduler") from None
    reason = f"{place}: its task failed on the cluster: {_reason(error)}"
    return Folded(place, error=reason, has_task_failed=True)


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_REASON]
