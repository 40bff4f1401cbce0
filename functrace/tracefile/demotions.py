"""Spans in which functions were not recorded because of FUNCTRACE_BUDGET."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from functrace.tracefile import format as fmt


@dataclass(frozen=True)
class Demotion:
    """Span in which the calls of a function were not recorded.

    Times are nanoseconds after the start of the trace.
    """

    function: str
    begin: int
    end: int | None
    """None if the function was not promoted again"""
    calls_per_second: int
    """calls a second when the function was demoted"""
    has_failures: bool
    """whether failed calls were recorded, without their durations, throughout the span"""


class Change(NamedTuple):
    """Demotion record: the function with a number was demoted or promoted."""

    flags: int
    """DEMOTED and WITHOUT_FAILURES of functrace.tracefile.format"""
    ticks: int
    number: int
    calls_per_second: int


def find_demotions(
    changes: Iterable[Change],
    name_of: Callable[[int], str | None],
    nanoseconds: Callable[[int], int],
) -> tuple[list[Demotion], int]:
    """Return the spans, function by function, and the number of changes of unknown functions.

    Several numbers with one name are one function, which is demoted while any of them is.

    Args:
        changes: the records in the order of the file.
        name_of: the name of a function by its number; None if the trace does not define it.
        nanoseconds: the time after the start of the trace, from the ticks of a record.
    """
    of_name: defaultdict[str, list[Change]] = defaultdict(list)
    unknown = 0
    for change in changes:
        name = name_of(change.number)
        if name is None:
            unknown += 1
        else:
            of_name[name].append(change)
    found = [span for name, of in of_name.items() for span in _spans(name, of, nanoseconds)]
    return found, unknown


def _spans(
    function: str, changes: Sequence[Change], nanoseconds: Callable[[int], int]
) -> Iterator[Demotion]:
    demoted: dict[int, int] = {}  # calls a second by number
    begin = now = rate = max_rate = 0
    has_failures = True
    for flags, ticks, number, calls_per_second in changes:
        now = max(now, nanoseconds(ticks))
        if flags & fmt.DEMOTED:
            if not demoted:
                begin, rate, max_rate, has_failures = now, 0, 0, True
            rate += calls_per_second - demoted.get(number, 0)
            demoted[number] = calls_per_second
            max_rate = max(max_rate, rate)
            has_failures = has_failures and not flags & fmt.WITHOUT_FAILURES
        elif number in demoted:
            rate -= demoted.pop(number)
            if not demoted:
                yield Demotion(function, begin, now, max_rate, has_failures)
    if demoted:
        yield Demotion(function, begin, None, max_rate, has_failures)
