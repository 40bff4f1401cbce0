"""Trace headers: the vectors that Go and Python share, and hostile values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functrace.runtime.requests import trace_headers
from tests.support.pythons import ROOT

_VECTORS = json.loads((ROOT / "tests/vectors/trace_headers.json").read_text(encoding="utf-8"))
_OWN = _VECTORS["own"]
_KEY = int(_OWN["process_key"], 16)


def _parse(headers: list[list[str]]) -> trace_headers.TraceContext:
    return trace_headers.parse((name.lower(), value) for name, value in headers)


@pytest.mark.parametrize("case", _VECTORS["cases"], ids=lambda case: case["name"])
def test_vector(case: dict[str, Any]) -> None:
    context = _parse(case["headers"])
    assert (context.trace_id, context.span_id) == (case["trace_id"], case["span_id"])
    assert context.is_sampled == case["sampled"]
    ft = case["ft"]
    assert context.ft == (ft and (int(ft["process_key"], 16), int(ft["number"], 16)))
    assert _lists(trace_headers.forward(context, _KEY, _OWN["number"])) == case["forward"]
    trace_id = context.trace_id or _OWN["trace_id"]
    span = trace_headers.span(context, _KEY, _OWN["number"], trace_id, _OWN["span_id"])
    assert _lists(span) == case["span"]


def _lists(headers: list[tuple[str, str]]) -> list[list[str]]:
    return [list(header) for header in headers]


_IDS = st.text("0123456789abcdefF-_", max_size=60)
_MEMBER = st.from_regex(r"[a-zA-Z0-9@*/-]{0,260}=?[ -~]{0,260}", fullmatch=True)
_VALUES = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.?", fullmatch=True),
    st.from_regex(r"([0-9a-f]{16}){1,2}-[0-9a-f]{16}(-[01d2](-[0-9a-f]{16})?)?", fullmatch=True),
    st.from_regex(r"[0-9a-f]{16}([0-9a-f]{16})?", fullmatch=True),
    st.lists(_MEMBER, max_size=40).map(",".join),
    st.sampled_from(["0", "1", "d", "true", "ft=0123456789abcdef:1f", "a=1,ft=00:1"]),
    _IDS,
)
_HEADERS = st.lists(st.tuples(st.sampled_from(sorted(trace_headers.NAMES)), _VALUES), max_size=8)


@given(_HEADERS)
def test_hostile(headers: list[tuple[str, str]]) -> None:
    context = trace_headers.parse(headers)
    assert bool(context.trace_id) == bool(context.span_id)
    assert not context.trace_id or (len(context.trace_id) == 32 and int(context.trace_id, 16))
    assert context.ft is None or all(0 < number < 1 << 64 for number in context.ft)
    sent = trace_headers.forward(context, _KEY, 26)
    received = [value.strip(" \t") for _name, value in headers]
    for name, value in sent:
        assert name in trace_headers.NAMES
        assert value.replace("\t", " ").isprintable()
        assert value.isascii()
        assert name == "tracestate" or value in received
    again = trace_headers.parse(sent)
    assert (again.trace_id, again.span_id) == (context.trace_id, context.span_id)
    if trace_headers._members(context.tracestate) is not None:
        assert again.ft == (_KEY, 26)
        assert len(dict(sent)["tracestate"]) <= 512


@given(_HEADERS)
def test_span_is_the_child(headers: list[tuple[str, str]]) -> None:
    context = trace_headers.parse(headers)
    trace_id = context.trace_id or _OWN["trace_id"]
    sent = trace_headers.span(context, _KEY, 26, trace_id, _OWN["span_id"])
    again = trace_headers.parse(sent)
    assert (again.trace_id, again.span_id) == (trace_id, _OWN["span_id"])
    if context.trace_id:
        assert again.is_sampled == context.is_sampled
