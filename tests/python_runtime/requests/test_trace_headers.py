"""Trace headers: the vectors that Go and Python share, and hostile values."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functrace.runtime.requests import parts, parts_python, trace_headers
from tests.support.pythons import ROOT

_VECTORS = json.loads((ROOT / "tests/vectors/trace_headers.json").read_text(encoding="utf-8"))
_OWN = _VECTORS["own"]
_KEY = int(_OWN["process_key"], 16)
_NAMES = ["traceparent", "tracestate", "b3"] + [
    f"x-b3-{name}" for name in ("traceid", "spanid", "parentspanid", "sampled", "flags")
]
_PARSERS = {"native": parts.parse_headers, "pure": parts_python.parse_headers}
_ATTRIBUTES = "ids", "ft", "is_sampled", "traceparent", "tracestate", "members", "b3", "multi"


@pytest.fixture(params=_PARSERS)
def parse(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    found: Callable[[Any], Any] = _PARSERS[request.param]
    return found


def _hex(context: Any) -> tuple[str, str]:
    return context.ids[:16].hex(), context.ids[16:].hex()


@pytest.mark.parametrize("case", _VECTORS["cases"], ids=lambda case: case["name"])
def test_vector(case: dict[str, Any], parse: Callable[[Any], Any]) -> None:
    context = parse(case["headers"])
    assert _hex(context) == (case["trace_id"], case["span_id"])
    assert context.is_sampled == case["sampled"]
    ft = case["ft"]
    assert context.ft == (
        struct.pack("<QQ", int(ft["process_key"], 16), int(ft["number"], 16)) if ft else b""
    )
    assert _lists(trace_headers.forward(context, _KEY, _OWN["number"])) == case["forward"]
    trace_id = context.ids[:16].hex() or _OWN["trace_id"]
    span = trace_headers.span(context, _KEY, _OWN["number"], trace_id, _OWN["span_id"])
    assert _lists(span) == case["span"]


def test_forms(parse: Callable[[Any], Any]) -> None:
    """Names in any case, values in bytes, other sequences, and the environment of WSGI."""
    value = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for headers in (
        [("Traceparent", value)],
        ((b"TRACEPARENT", f"\t{value} ".encode()),),
        [[b"accept", b"*/*"], ["traceparent", value, "more"]],
        {"HTTP_TRACEPARENT": value, "HTTP_B3": 7, "PATH_INFO": "/"},
    ):
        context = parse(headers)
        assert (context.traceparent, context.ids[16:].hex()) == (value, "b7ad6b7169203331")
    nothing = parse([])
    for headers in (None, (), {}, {"HTTP_B3": b"0"}, [("accept", "b3")], [()], [7, ("b3",)], "b3"):
        assert parse(headers) is nothing


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
_HEADERS = st.lists(st.tuples(st.sampled_from(_NAMES), _VALUES), max_size=8)


def _read(context: Any) -> list[Any]:
    return [getattr(context, name) for name in _ATTRIBUTES]


@given(_HEADERS)
def test_both_parsers_read_the_same(headers: list[tuple[str, str]]) -> None:
    context = parts.parse_headers(headers)
    assert _read(context) == _read(parts_python.parse_headers(headers))
    assert list(context.multi) == list(parts_python.parse_headers(headers).multi)
    encoded = [(name.title().encode(), value.encode()) for name, value in headers]
    assert _read(parts.parse_headers(encoded)) == _read(parts_python.parse_headers(encoded))
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
    assert _read(parts.parse_headers(environ)) == _read(parts_python.parse_headers(environ))


@given(_HEADERS)
def test_hostile(headers: list[tuple[str, str]]) -> None:
    context = parts.parse_headers(headers)
    assert len(context.ids) in (0, 24)
    assert not context.ids or (any(context.ids[:16]) and any(context.ids[16:]))
    assert not context.ft or all(struct.unpack("<QQ", context.ft))
    sent = trace_headers.forward(context, _KEY, 26)
    received = [value.strip(" \t") for _name, value in headers]
    for name, value in sent:
        assert name in _NAMES
        assert value.replace("\t", " ").isprintable()
        assert value.isascii()
        assert name == "tracestate" or value in received
    again = parts.parse_headers(sent)
    assert again.ids == context.ids
    if context.members is not None:
        assert again.ft == struct.pack("<QQ", _KEY, 26)
        assert len(dict(sent)["tracestate"]) <= 512


@given(_HEADERS)
def test_span_is_the_child(headers: list[tuple[str, str]]) -> None:
    context = parts.parse_headers(headers)
    trace_id = context.ids[:16].hex() or _OWN["trace_id"]
    sent = trace_headers.span(context, _KEY, 26, trace_id, _OWN["span_id"])
    again = parts.parse_headers(sent)
    assert _hex(again) == (trace_id, _OWN["span_id"])
    if context.ids:
        assert again.is_sampled == context.is_sampled
