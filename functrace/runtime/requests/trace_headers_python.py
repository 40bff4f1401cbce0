"""Fallback of the parser of trace headers in C, and what its tests compare it with.

``tests/vectors/trace_headers.json`` defines what is read. Values are hostile: a value that is not
printable ASCII, or too long, counts as absent.
"""

from __future__ import annotations

import re

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_items, exact_str

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

globals()["__builtins__"] = BUILTINS

_B3_NAMES = (
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
)
_NAMES = ("traceparent", "tracestate", "b3", *_B3_NAMES)
_ENVIRON_KEYS = [(name, f"HTTP_{name.upper().replace('-', '_')}") for name in _NAMES]

_MAX_VALUE = 4096  # bytes
_MAX_MEMBERS = 32

_match_printable = re.compile(r"[\t\x20-\x7e]*", re.ASCII).fullmatch
_match_traceparent = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?",
    re.DOTALL,
).fullmatch
_match_member = re.compile(
    r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
).fullmatch
_match_ft = re.compile(r"ft=(?!0{16})([0-9a-f]{16}):(?!0+$)([0-9a-f]{1,16})").fullmatch
_match_trace_id = re.compile(r"(?!0+$)(?:[0-9a-f]{16}|[0-9a-f]{32})").fullmatch
_match_span_id = re.compile(r"(?!0+$)[0-9a-f]{16}").fullmatch
_match_b3 = re.compile(
    r"((?:[0-9a-f]{16}){1,2})-([0-9a-f]{16})(?:-([01d])(?:-([0-9a-f]{16}))?)?"
).fullmatch

_ODD = "13579bdf"
_SAMPLED = {"1": True, "true": True, "d": True, "0": False, "false": False}


class TraceContext:
    """What the trace headers of a request contain, see _recorder.pyi."""

    ids = ft = b""
    traceparent = tracestate = b3 = ""
    is_sampled = False
    multi: Mapping[str, str] = {}

    @property
    def members(self) -> list[str] | None:
        """The members of tracestate; None if that is not valid."""
        return _members(self.tracestate)


_NO_CONTEXT = TraceContext()


def parse_headers(headers: Any) -> TraceContext:
    """Return what the headers of a request contain, see _recorder.pyi."""
    found: dict[str, str] = {}
    for name, value in _trace_headers(headers):
        if name not in found:
            found[name] = value.strip(" \t")
        elif name == "tracestate":
            found[name] += "," + value.strip(" \t")
        else:
            found[name] = "\0"  # sent several times, which makes them all invalid
    if not found:
        return _NO_CONTEXT
    context = TraceContext()
    if "traceparent" in found:
        _parse_traceparent(context, found["traceparent"])
    if "tracestate" in found:
        _parse_tracestate(context, found["tracestate"])
    if "b3" in found:
        _parse_b3(context, found["b3"])
    if not found.keys().isdisjoint(_B3_NAMES):
        headers_of_b3 = {name: found[name] for name in _B3_NAMES if found.get(name)}
        _parse_multi(context, {n: v for n, v in headers_of_b3.items() if _is_sendable(v)})
    return context


def _trace_headers(headers: Any) -> Iterable[tuple[str, str]]:
    """Return the trace headers, with names in lower case, in the order of arrival."""
    if type(headers) is dict:
        items = exact_items(headers)
        pairs = ((name, items.get(key)) for name, key in _ENVIRON_KEYS)
        return [(name, exact_str(value)) for name, value in pairs if _is_str(value)]
    found = []
    for pair in map(_exact, _exact(headers)):
        if len(pair) >= 2:
            name = _text(pair[0]).lower()
            if name in _NAMES:
                found.append((name, _text(pair[1])))
    return found


def _exact(values: Any) -> tuple[Any, ...]:
    """Return the items of a list or tuple, whatever its class overrides; none of anything else."""
    for base in (tuple, list):
        if issubclass(type(values), base):
            return tuple(base.__iter__(values))
    return ()


def _text(value: Any) -> str:
    return value.decode("latin-1") if type(value) is bytes else exact_str(value)


def _is_str(value: Any) -> bool:
    return issubclass(type(value), str)


def _is_sendable(value: str) -> bool:
    return len(value) <= _MAX_VALUE and _match_printable(value) is not None


def _parse_traceparent(context: TraceContext, value: str) -> None:
    matched = _match_traceparent(value) if len(value) <= _MAX_VALUE else None
    if matched is None:
        return
    version, trace_id, span_id, flags, more = matched.groups()
    # Version 00 ends behind the flags.
    if more is None or (version != "00" and _match_printable(more)):
        context.traceparent = value
        _set_ids(context, trace_id, span_id, flags[1] in _ODD)


def _parse_tracestate(context: TraceContext, value: str) -> None:
    matched = _match_ft(value)  # most often it is the only member
    if matched is None:
        if not _is_sendable(value):
            return
        matched = _match_ft(_own_member(value)) if "ft=" in value else None
    if matched is not None:
        numbers = int(matched[1], 16), int(matched[2], 16)
        context.ft = b"".join(number.to_bytes(8, "little") for number in numbers)
    if context.traceparent:
        context.tracestate = value


def _own_member(tracestate: str) -> str:
    """Return the first member of ours in a valid tracestate; '' if there is none."""
    return next((m for m in _members(tracestate) or () if m.startswith("ft=")), "")


def _members(tracestate: str) -> list[str] | None:
    """Return the members of a tracestate; None if it is not valid."""
    members = [member for part in tracestate.split(",") if (member := part.strip(" \t"))]
    is_valid = len(members) <= _MAX_MEMBERS and all(map(_match_member, members))
    return members if is_valid else None


def _parse_b3(context: TraceContext, value: str) -> None:
    if value in ("0", "1", "d"):
        context.b3 = value
        if not context.ids:
            context.is_sampled = value != "0"
        return
    matched = _match_b3(value)
    if matched is None or not (_match_trace_id(matched[1]) and _match_span_id(matched[2])):
        return
    context.b3 = value
    _set_ids(context, matched[1], matched[2], _SAMPLED.get(matched[3], False))


def _parse_multi(context: TraceContext, headers: dict[str, str]) -> None:
    has_ids = "x-b3-traceid" in headers or "x-b3-spanid" in headers
    trace_id, span_id = headers.get("x-b3-traceid", ""), headers.get("x-b3-spanid", "")
    if has_ids and not (_match_trace_id(trace_id) and _match_span_id(span_id)):
        return
    sampled, flags = headers.get("x-b3-sampled", ""), headers.get("x-b3-flags", "")
    if sampled not in ("0", "1", "true", "false"):
        sampled = ""
        headers.pop("x-b3-sampled", None)
    if flags not in ("0", "1"):
        headers.pop("x-b3-flags", None)
    if not has_ids or not _match_span_id(headers.get("x-b3-parentspanid", "")):
        headers.pop("x-b3-parentspanid", None)
    context.multi = headers
    is_sampled = flags == "1" or _SAMPLED.get(sampled, False)
    if has_ids:
        _set_ids(context, trace_id, span_id, is_sampled)
    elif not context.ids and not context.b3:
        context.is_sampled = is_sampled


def _set_ids(context: TraceContext, trace_id: str, span_id: str, is_sampled: bool) -> None:
    if not context.ids:
        context.ids = bytes.fromhex(trace_id.rjust(32, "0") + span_id)
        context.is_sampled = is_sampled
