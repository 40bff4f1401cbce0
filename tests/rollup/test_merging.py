"""Merging is exact for counts, sums and buckets in any order, and bounded for texts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from functrace.rollup import duration_buckets
from functrace.rollup.duration_buckets import bounds_of, bucket_of, percentile_ns
from functrace.rollup.error_texts import ErrorText, ErrorTexts, bounded
from functrace.rollup.figures import MAX_SUM, NO_CALLS, ChainFigures, Example, merged

_LIMIT = 3


@dataclass(frozen=True)
class _Call:
    time_ns: int
    duration_ns: int
    error: str
    """empty for a call that did not fail"""
    is_finished: bool


_calls = st.builds(
    _Call,
    st.integers(0, 50),
    st.integers(0, 1 << 40),
    st.sampled_from(["", "", "", "a", "b", "c", "d", "e", "f"]),
    st.booleans(),
)


def _figures(calls: list[_Call]) -> ChainFigures:
    """Return the figures of calls, from the calls themselves."""
    finished = [call.duration_ns for call in calls if call.is_finished]
    failed = [call for call in calls if call.error]
    texts = Counter(ErrorText(call.error, False) for call in failed)
    return ChainFigures(
        calls=len(calls),
        failed=len(failed),
        unfinished=len(calls) - len(finished),
        total_ns=sum(call.duration_ns for call in calls),
        min_ns=min(finished, default=None),
        max_ns=max(finished, default=None),
        buckets=duration_buckets.as_buckets(Counter(map(bucket_of, finished))),
        errors=bounded(texts, limit=_LIMIT),
        example=_example(calls),
    )


def _example(calls: list[_Call]) -> Example | None:
    failed = min((call.time_ns for call in calls if call.error), default=None)
    if failed is not None:
        return Example(failed, "x.ftrace", 1)
    finished = [call for call in calls if call.is_finished]
    if not finished:
        return None
    longest = max(call.duration_ns for call in finished)
    time = min(call.time_ns for call in finished if call.duration_ns == longest)
    return Example(time, "x.ftrace", 1)


def _merged_in_a_tree(parts: list[ChainFigures], chance: Random) -> ChainFigures:
    """Merge random pairs until one is left."""
    parts = list(parts)
    while len(parts) > 1:
        chance.shuffle(parts)
        parts.append(merged([parts.pop(), parts.pop()], _LIMIT))
    return parts[0]


def _without_texts(figures: ChainFigures) -> ChainFigures:
    values = {**figures.__dict__, "errors": NO_CALLS.errors}
    return ChainFigures(**values)


@given(st.lists(st.lists(_calls, max_size=8), min_size=1, max_size=8), st.randoms())
def test_merging_in_any_order_is_counting_all_calls(
    groups: list[list[_Call]], chance: Random
) -> None:
    found = _merged_in_a_tree([_figures(group) for group in groups], chance)
    everything = [call for group in groups for call in group]
    assert _without_texts(found) == _without_texts(_figures(everything))
    true = Counter(ErrorText(call.error, False) for call in everything if call.error)
    assert len(found.errors.counts) <= _LIMIT
    assert found.errors.undercount <= found.failed // (_LIMIT + 1)
    for text, calls in true.items():
        assert 0 <= calls - found.errors.counts.get(text, 0) <= found.errors.undercount
    if len(true) <= _LIMIT:
        assert found.errors == ErrorTexts(true)


def test_no_calls_change_nothing() -> None:
    figures = _figures([_Call(3, 100, "", True), _Call(1, 50, "a", False)])
    assert merged([figures, NO_CALLS]) == merged([NO_CALLS, figures]) == figures


def test_sums_stop_at_the_largest_number() -> None:
    large = ChainFigures(calls=1, total_ns=MAX_SUM - 1)
    assert merged([large, large]).total_ns == MAX_SUM


@given(st.integers(0, 1 << 60))
def test_a_duration_is_within_its_bucket(duration: int) -> None:
    low, high = bounds_of(bucket_of(duration))
    assert low <= duration < high
    assert high - low <= max(1, low / 32)


def test_buckets_follow_each_other() -> None:
    for bucket in range(57 * 32 - 1):
        assert bounds_of(bucket)[1] == bounds_of(bucket + 1)[0]


@given(st.lists(st.integers(0, 1 << 50), min_size=1), st.sampled_from([1, 50, 90, 99, 100]))
def test_percentiles_are_within_half_a_bucket(durations: list[int], percent: int) -> None:
    buckets = duration_buckets.as_buckets(Counter(map(bucket_of, durations)))
    durations.sort()
    exact = durations[max(-(-percent * len(durations) // 100), 1) - 1]
    found = percentile_ns(buckets, percent, durations[0], durations[-1])
    assert abs(found - exact) <= 0.016 * exact + 1
