"""Selections of rollups: labels, times and the partitions that may have them."""

from __future__ import annotations

import pytest

from functrace.errors import UsageError
from functrace.rollup.layout import Partition
from functrace.rollup.selection import (
    Selection,
    label_filter,
    parse_labels,
    parse_selection,
    parse_time,
)

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
START = 1_700_000_000 // 3600 * HOUR  # 2023-11-14T22:00Z
PARTITION = Partition("shop", "2023-11-14T22")


@pytest.mark.parametrize(
    ("text", "services", "releases"),
    [
        ("shop@1.4", ("shop",), ("1.4",)),
        ("shop", ("shop",), ()),
        ("@1.4", (), ("1.4",)),
        ("sh*@1.?", ("sh*",), ("1.?",)),
        ("@scope/shop@1.4", ("@scope/shop",), ("1.4",)),
    ],
)
def test_a_service_and_its_release(
    text: str, services: tuple[str, ...], releases: tuple[str, ...]
) -> None:
    assert parse_selection(text) == Selection(services=services, releases=releases)


@pytest.mark.parametrize("text", ["", "@"])
def test_a_selection_of_nothing(text: str) -> None:
    with pytest.raises(UsageError, match="is not a selection such as"):
        parse_selection(text)


@pytest.mark.parametrize(
    ("glob", "label", "matches"),
    [
        ("1.4", "1.4", True),
        ("1.4", "11.4", False),
        ("1.4", "104", False),
        ("canary-*", "canary-7", True),
        ("canary-*", "a-canary-7", False),
        ("*", "two\nlines", True),
        ("web?", "web1", True),
        ("web?", "web10", False),
        ("[a]+", "[a]+", True),
    ],
)
def test_globs_match_whole_labels(glob: str, label: str, matches: bool) -> None:
    assert label_filter([glob])(label) is matches


def test_labels() -> None:
    found = parse_labels(["host=web*", "build=a=b"])
    assert found == (("host", "web*"), ("build", "a=b"))
    with pytest.raises(UsageError, match="no such label; labels are service, release, instance"):
        parse_labels(["color=red"])
    with pytest.raises(UsageError, match="not a label and a glob"):
        parse_labels(["host"])


def test_every_condition_must_hold() -> None:
    selection = Selection(services=("a*", "b"), labels=(("service", "*z"),))
    assert [name for name in ("az", "b", "bz", "a") if selection.matches("service", name)] == ["az"]


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1h", START - HOUR),
        ("7d", START - 7 * 24 * HOUR),
        ("2023-11-14T22:00", START),
        ("2023-11-14T22:00:00Z", START),
        ("2023-11-15T00:00+02:00", START),
        ("2023-11-14 21:59:59.5", START - SECOND // 2),
        ("1900-01-01", 0),
    ],
)
def test_times(text: str, time_ns: int) -> None:
    assert parse_time(text, START) == time_ns


@pytest.mark.parametrize("text", ["", "yesterday", "2023-13-01", "1y"])
def test_texts_that_are_no_times(text: str) -> None:
    with pytest.raises(UsageError, match=r"--since .*not an age such as 24h or 7d, or a time"):
        parse_time(text, START, "--since")


@pytest.mark.parametrize(
    ("selection", "has_it"),
    [
        (Selection(), True),
        (Selection(services=("sh*",)), True),
        (Selection(services=("store",)), False),
        (Selection(releases=("1.4",)), True),
        (Selection(since_ns=START + HOUR - 1), True),
        (Selection(since_ns=START + HOUR), False),
        (Selection(until_ns=START + 1), True),
        (Selection(until_ns=START), False),
    ],
)
def test_partitions_that_may_have_selected_rows(selection: Selection, has_it: bool) -> None:
    assert selection.has(PARTITION) is has_it
