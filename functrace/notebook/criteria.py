"""Criteria that select rows of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from functrace import units
from functrace.globs import compile_list

if TYPE_CHECKING:
    import pyarrow

    Select = Callable[[pyarrow.RecordBatch], pyarrow.RecordBatch]


@dataclass(frozen=True)
class Criteria:
    """Criteria that a row has to meet; None selects all rows."""

    functions: tuple[str, ...] | None = None
    """globs, of which one has to match"""
    failed: bool | None = None
    min_duration_ns: int | None = None
    tracks: tuple[int, ...] | None = None
    processes: tuple[int, ...] | None = None

    def __str__(self) -> str:
        """Return the criteria as arguments of ``filter``."""
        given = {
            "function": self.functions,
            "failed": self.failed,
            "min_duration": self.min_duration_ns,
            "track": self.tracks,
            "process": self.processes,
        }
        return ", ".join(f"{k}={_shown(v)}" for k, v in given.items() if v is not None)


def criteria(
    function: str | Iterable[str] | None = None,
    failed: bool | None = None,
    min_duration: str | int | None = None,
    track: int | Iterable[int] | None = None,
    process: int | Iterable[int] | None = None,
) -> Criteria:
    """Return the criteria for arguments of ``filter``.

    Raises:
        UsageError: ``min_duration`` is not a duration.
    """
    if isinstance(min_duration, str):
        min_duration = units.parse_duration(min_duration)
    functions = (function,) if isinstance(function, str) else function
    return Criteria(
        functions=None if functions is None else tuple(functions),
        failed=failed,
        min_duration_ns=min_duration,
        tracks=_numbers(track),
        processes=_numbers(process),
    )


def selector(wanted: Iterable[Criteria], names: Sequence[str]) -> Select:
    """Return a function that returns the rows of a batch that meet all criteria.

    Args:
        wanted: the criteria.
        names: name of each function, by function_id.
    """
    import pyarrow.compute as pc

    masks = [mask for each in wanted for mask in _masks(each, names)]

    def select(batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
        return batch.filter(reduce(pc.and_, (mask(batch) for mask in masks))) if masks else batch

    return select


def _masks(wanted: Criteria, names: Sequence[str]) -> Iterator[Callable[[Any], Any]]:
    import pyarrow.compute as pc

    if wanted.functions is not None:
        yield _is_in("function_id", _matching(wanted.functions, names))
    if wanted.failed is not None:
        failed = wanted.failed
        yield lambda batch: pc.equal(_failed(batch), failed)
    if wanted.min_duration_ns is not None:
        min_duration_ns = wanted.min_duration_ns
        yield lambda batch: pc.greater_equal(batch.column("duration_ns"), min_duration_ns)
    if wanted.tracks is not None:
        yield _is_in("track", wanted.tracks)
    if wanted.processes is not None:
        yield _is_in("process", wanted.processes)


def _is_in(column: str, numbers: Sequence[int]) -> Callable[[Any], Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    def mask(batch: pyarrow.RecordBatch) -> Any:
        items = batch.column(column)
        return pc.is_in(items, pa.array(numbers, items.type))

    return mask


def _matching(globs: Iterable[str], names: Sequence[str]) -> list[int]:
    matches = compile_list(globs)
    return [i for i, name in enumerate(names) if matches(name)]


def _failed(batch: pyarrow.RecordBatch) -> Any:
    """Return whether each call failed, or has failed calls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "failed" in batch.schema.names:
        failed = batch.column("failed")
        if pa.types.is_boolean(failed.type):
            return failed
        return pc.greater(failed, 0)
    return pc.or_(pc.is_valid(batch.column("error")), pc.is_valid(batch.column("panic")))


def _numbers(given: int | Iterable[int] | None) -> tuple[int, ...] | None:
    if given is None:
        return None
    return (given,) if isinstance(given, int) else tuple(given)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return repr(value[0]) if len(value) == 1 else repr(list(value))
    return repr(value)
