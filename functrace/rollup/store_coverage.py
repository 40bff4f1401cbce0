"""Extent to which the answers to queries of a store cover the selected processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from functrace.rollup import query_sql as sql
from functrace.rollup.current_files import ServiceFiles
from functrace.rollup.figures import MAX_SUM, SUMS
from functrace.rollup.layout import StoredFile


@dataclass
class StoreCoverage:
    """Extent to which the answers cover the selected processes.

    An instance is a process: a service and a label `instance`.

    Attributes:
        instances: number of instances whose rows were read.
        expected: number of instances of the selected services and time, with those whose rows are
            missing or damaged.
        unreadable: number of files that can be read in neither table, whose instances are unknown.
        seconds: seconds of all windows between the first and the last event of a trace.
        windows: number of windows of all recordings.
        demoted: functions that were not recorded for some time because of FUNCTRACE_BUDGET, with
            the number of instances.
        missing: sentences about what traces lack, with the number of instances.
        at_limit: functions whose figures may be too low, since sums stop at the largest int64.
    """

    instances: int = 0
    expected: int = 0
    unreadable: int = 0
    seconds: float = 0.0
    windows: int = 0
    demoted: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    at_limit: tuple[str, ...] = ()


Run = Callable[[ServiceFiles, "list[StoredFile]", sql.Query], Any]
"""returns the result of a query of files of a service"""


def coverage_of(services: list[ServiceFiles], run: Run) -> StoreCoverage:
    """Return the coverage of services, by the files that were readable so far."""
    found = StoreCoverage()
    for service in services:
        read = _instances(run(service, service.files, sql.names_of_instances("processes")))
        others = [
            _instances(run(service, files, sql.names_of_instances(table)))
            for table, files in (
                ("processes", service.incomplete),
                ("chains", service.without_processes),
            )
        ]
        found.instances += len(read)
        found.expected += len(read.union(*others))
        found.unreadable += service.unreadable
        for seconds, windows in _rows(run(service, service.files, sql.covered())):
            found.seconds += seconds
            found.windows += windows
        for counts in (found.demoted, found.missing):
            column = "demoted" if counts is found.demoted else "missing"
            for text, instances in _rows(run(service, service.files, sql.notes(column))):
                counts[text] += instances
    return found


def functions_at_limit(chains: Any) -> list[str]:
    """Return the functions of which a sum over all chains reaches the largest int64.

    Args:
        chains: table of StoreQuery.chains. A recursive function has less than this sum.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {name: chains[name].cast(pa.float64(), safe=False) for name in SUMS}
    keys = {name: chains[name] for name in ("service", "function")}
    sums = pa.table({**keys, **columns}).group_by(list(keys)).aggregate([(n, "sum") for n in SUMS])
    highest = pc.max_element_wise(*(sums[f"{name}_sum"] for name in SUMS))
    found: list[str] = sums.filter(pc.greater_equal(highest, float(MAX_SUM)))[
        "function"
    ].to_pylist()
    return found


def _instances(table: Any) -> set[str]:
    return set(table["instance"].to_pylist())


def _rows(table: Any) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
