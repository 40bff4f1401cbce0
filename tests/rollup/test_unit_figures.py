"""Percentiles of instances, against those of single histograms."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functrace.rollup import duration_buckets
from functrace.rollup.comparison import unit_figures

WINDOWS = st.lists(
    st.tuples(st.integers(0, duration_buckets.MAX_BUCKET), st.integers(1, 300)), max_size=8
).map(sorted)


@given(st.lists(WINDOWS, min_size=1, max_size=5))
def test_percentiles(rows: list[list[tuple[int, int]]]) -> None:
    flat = [pair for row in rows for pair in row]
    none = np.zeros(len(rows), np.int64)
    found = unit_figures.empty(1, len(rows))
    unit_figures.add_rows(
        found,
        unit_figures.UnitRows(
            chain=none,
            unit=np.arange(len(rows)),
            calls=none,
            failed=none,
            total_ns=none,
            self_ns=none,
            first_bucket=np.cumsum([0, *map(len, rows)]),
            bucket=np.array([bucket for bucket, _ in flat], np.int64),
            bucket_calls=np.array([calls for _, calls in flat], np.int64),
        ),
    )
    for unit, row in enumerate(rows):
        counts: Counter[int] = Counter()
        for bucket, calls in row:
            counts[bucket] += calls
        buckets = duration_buckets.as_buckets(counts)
        calls = sum(counts.values())
        expected = duration_buckets.percentile_ns(buckets, 99, 0, 1 << 62)
        if calls >= unit_figures.MIN_TAIL_CALLS:
            assert found.p99_ns[0, unit] == pytest.approx(expected, rel=1e-6, abs=0.5)
        else:
            assert np.isnan(found.p99_ns[0, unit])
        if calls >= unit_figures.MIN_CALLS and calls % 2:
            expected = duration_buckets.percentile_ns(buckets, 50, 0, 1 << 62)
            assert found.p50_ns[0, unit] == pytest.approx(expected, rel=1e-6, abs=0.5)


def test_the_median_of_an_even_number_of_calls_is_between_two() -> None:
    one = np.zeros(1, np.int64)
    buckets = [duration_buckets.bucket_of(each) for each in (1_000, 4_000)]
    found = unit_figures.empty(1, 1)
    rows = unit_figures.UnitRows(
        one, one, one, one, one, one, np.array([0, 2]), np.array(buckets), np.array([3, 3])
    )
    unit_figures.add_rows(found, rows)
    assert found.p50_ns[0, 0] == pytest.approx(2_000, rel=0.03)
