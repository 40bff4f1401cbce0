"""Tests of groups of instances, against those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from functrace.analysis.deviations import rank_deviations
from functrace.rollup.comparison import group_tests

# Few distinct values, so that there are ties.
GROUPS = st.lists(st.integers(0, 9).map(float), min_size=2, max_size=40).map(np.array)


@given(GROUPS, GROUPS)
def test_rank_test(before: np.ndarray, after: np.ndarray) -> None:
    z = rank_deviations(*group_tests.counts_by_value(before, after))
    if len({*before, *after}) == 1:
        assert z == 0
        return
    expected = stats.mannwhitneyu(
        after, before, use_continuity=False, alternative="two-sided", method="asymptotic"
    )
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(expected.pvalue)
    assert (z > 0) == (expected.statistic > len(before) * len(after) / 2)


@given(GROUPS, GROUPS, st.integers(1, 1000), st.integers(1, 1000))
def test_rank_test_of_values_with_weights(
    before: np.ndarray, after: np.ndarray, first: int, second: int
) -> None:
    weights = np.full(len(before), float(first)), np.full(len(after), float(second))
    weighted = group_tests.counts_by_value(before, after, weights)
    repeated = group_tests.counts_by_value(before.repeat(first), after.repeat(second))
    assert [list(each) for each in weighted] == [list(each) for each in repeated]


@pytest.mark.filterwarnings("ignore:Precision loss")  # of scipy
@given(GROUPS, GROUPS)
def test_welch(before: np.ndarray, after: np.ndarray) -> None:
    found = group_tests.welch_p(before, after, precision=0.0)
    if len(set(before)) == len(set(after)) == 1:
        assert found == (before[0] == after[0])
        return
    expected = stats.ttest_ind(before, after, equal_var=False).pvalue
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_figures_that_are_the_same_everywhere_are_not_exact() -> None:
    before, after = np.full(5, 1.0), np.full(5, 1.01)
    assert group_tests.welch_p(before, after, precision=0.02) > 0.1
    assert group_tests.welch_p(before, after + 1, precision=0.02) < 1e-9


@given(st.floats(-60, 60), st.floats(1, 1e5))
def test_student(t: float, freedom: float) -> None:
    expected = 2 * stats.t.sf(abs(t), freedom)
    assert group_tests.student_p(t, freedom) == pytest.approx(expected, rel=1e-5, abs=1e-14)


@given(st.lists(st.floats(0, 1), max_size=60), st.sampled_from([0.01, 0.05, 0.5]))
def test_false_discoveries(p_values: list[float], rate: float) -> None:
    found = group_tests.significant(np.array(p_values), rate)
    expected = stats.false_discovery_control(p_values) if p_values else np.empty(0)
    close = np.isclose(expected, rate)  # where rounding decides
    assert list(found[~close]) == list(expected[~close] <= rate)


def test_ranks_need_complete_separation_of_five_and_five() -> None:
    low = np.arange(5.0)
    assert group_tests.ranks_agree(low, low + 10)
    assert not group_tests.ranks_agree(low, np.array([3.5, 10, 11, 12, 13]))
    assert not group_tests.ranks_agree(low, np.array([10.0, 11, 12, 13, -1000]))
