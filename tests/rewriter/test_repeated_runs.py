"""Repeated runs: trace calls added at different times and in different layouts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewriter.filters import Filters
from rewriter.golang import Layout, Options
from tests.rewriter.test_properties import inject, options, source, strip


@settings(deadline=None)
@given(source(), options, options)
def test_strips_mixed_layouts_and_closures(text: bytes, first: Options, second: Options) -> None:
    both = inject(inject(text, first), second)
    assert strip(both, first) == text
    assert strip(both, second) == text


@settings(deadline=None)
@given(source(), options, st.sets(st.sampled_from([f"f{i}" for i in range(5)]), min_size=1))
def test_strips_runs_with_different_filters(text: bytes, asked: Options, names: set[str]) -> None:
    some = replace(asked, filters=Filters(include=tuple(sorted(names))))
    once = inject(text, some)
    assert strip(once, asked) == text
    assert strip(inject(once, asked), asked) == text


@settings(deadline=None)
@given(source(), options)
def test_build_layout_moves_no_line(text: bytes, asked: Options) -> None:
    once = inject(text, replace(asked, layout=Layout.BUILD))
    for before, after in zip(text.split(b"\n"), once.split(b"\n"), strict=True):
        assert _is_within(before, re.sub(rb"functraceErr0\d*", b"_", after))


def _is_within(before: bytes, after: bytes) -> bool:
    """Return whether ``after`` is ``before`` with bytes inserted."""
    rest = iter(after)
    return all(byte in rest for byte in before)


@pytest.mark.parametrize("layout", Layout)
def test_strips_after_a_function_was_deleted(layout: Layout) -> None:
    asked = Options(layout=layout)
    once = inject(b"package p\n\nfunc f() {\n\tg()\n}\n\nfunc g() {\n\tf()\n}\n", asked)
    without = once[: once.index(b"\nfunc g")]
    assert strip(without, asked) == b"package p\n\nfunc f() {\n\tg()\n}\n"
