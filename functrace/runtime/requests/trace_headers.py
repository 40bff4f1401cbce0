"""Trace headers of a request: W3C traceparent and tracestate, and B3.

``tests/vectors/trace_headers.json`` defines what is read and sent. Values are hostile: a value that
is not printable ASCII, or too long, counts as absent.
"""

from __future__ import annotations

import re

from functrace.runtime import BUILTINS

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

globals()["__builtins__"] = BUILTINS

B3_NAMES = (
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
)
NAMES = frozenset(("traceparent", "tracestate", "b3", *B3_NAMES))
# A program that sets one of these decides about all of them.
DECISIVE = frozenset(("traceparent", "b3", "x-b3-traceid"))

_MAX_VALUE = 4096  # bytes
_MAX_MEMBERS = 32
_MAX_TRACESTATE, _MAX_LARGE_MEMBER = 512, 128  # bytes

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
    """What the trace headers of an inbound call contain.

    Attributes:
        trace_id: 32 hexadecimal digits; empty if there are none.
        span_id: 16 hexadecimal digits; empty if there is no trace id.
        is_sampled: whether the caller records the trace.
        ft: key of the process and number of the outbound call that sent the request; or None.
        traceparent: the value, if it is valid.
        tracestate: the value, if traceparent is valid.
        b3: the value, if it is valid.
        multi: the valid headers of B3 with several headers, by name.
        is_current: whether it is that of OpenTelemetry's current span.
    """

    trace_id = span_id = traceparent = tracestate = b3 = ""
    is_sampled = is_current = False
    ft: tuple[int, int] | None = None
    multi: Mapping[str, str] = {}


NO_CONTEXT = TraceContext()


def parse(headers: Iterable[tuple[str, str]]) -> TraceContext:
    """Return what the headers contain; names are in lower case, in the order of arrival."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name in NAMES:
            if name not in found:
                found[name] = value.strip(" \t")
            elif name == "tracestate":
                found[name] += "," + value.strip(" \t")
            else:
                found[name] = "\0"  # sent several times, which makes them all invalid
    if not found:
        return NO_CONTEXT
    context = TraceContext()
    if "traceparent" in found:
        _parse_traceparent(context, found["traceparent"])
    if "tracestate" in found:
        _parse_tracestate(context, found["tracestate"])
    if "b3" in found:
        _parse_b3(context, found["b3"])
    if not found.keys().isdisjoint(B3_NAMES):
        headers_of_b3 = {name: found[name] for name in B3_NAMES if found.get(name)}
        _parse_multi(context, {n: v for n, v in headers_of_b3.items() if _is_sendable(v)})
    return context


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
        context.trace_id, context.span_id = trace_id, span_id
        context.is_sampled = flags[1] in _ODD


def _parse_tracestate(context: TraceContext, value: str) -> None:
    matched = _match_ft(value)  # most often it is the only member
    if matched is None:
        if not _is_sendable(value):
            return
        matched = _match_ft(_own_member(value)) if "ft=" in value else None
    if matched is not None:
        context.ft = int(matched[1], 16), int(matched[2], 16)
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
        if not context.trace_id:
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
        headers.pop("x-b3-sampled", None)
    if flags not in ("0", "1"):
        headers.pop("x-b3-flags", None)
    if not has_ids or not _match_span_id(headers.get("x-b3-parentspanid", "")):
        headers.pop("x-b3-parentspanid", None)
    context.multi = headers
    is_sampled = flags == "1" or _SAMPLED.get(sampled, False)
    if has_ids:
        _set_ids(context, trace_id, span_id, is_sampled)
    elif not context.trace_id and not context.b3:
        context.is_sampled = is_sampled


def _set_ids(context: TraceContext, trace_id: str, span_id: str, is_sampled: bool) -> None:
    if not context.trace_id:
        context.trace_id, context.span_id = trace_id.rjust(32, "0"), span_id
        context.is_sampled = is_sampled


def forward(context: TraceContext, process_key: int, number: int) -> list[tuple[str, str]]:
    """Return the headers that continue the trace of an inbound call unchanged.

    Args:
        context: of the inbound call.
        process_key, number: identify the outbound call that sends the headers.
    """
    headers = [("traceparent", context.traceparent)] if context.traceparent else []
    headers.append(("tracestate", _tracestate(context, process_key, number)))
    if context.b3:
        headers.append(("b3", context.b3))
    headers.extend(context.multi.items())
    return headers


def are_spans_sampled(context: TraceContext) -> bool:
    """Return whether spans of an inbound call are sampled: unless its caller decided otherwise."""
    return context.is_sampled or (not context.trace_id and not _has_decision(context))


def span(
    context: TraceContext, process_key: int, number: int, trace_id: str, span_id: str
) -> list[tuple[str, str]]:
    """Return the headers that continue the trace of an inbound call with a span of its own.

    Ids that came in headers of B3 alone are sent in these alone: a sidecar that replaces the span
    id there with its own would leave that in traceparent, which its receiver prefers.

    Args:
        context: of the inbound call.
        process_key, number: identify the outbound call that sends the headers.
        trace_id: of the inbound call, or a new one.
        span_id: a new one.
    """
    headers = [("tracestate", _tracestate(context, process_key, number))]
    if context.traceparent or not context.trace_id:
        flags = "01" if are_spans_sampled(context) else "00"
        headers.insert(0, ("traceparent", f"00-{trace_id}-{span_id}-{flags}"))
    if context.b3:
        headers.append(("b3", _child_of_b3(context.b3, span_id)))
    multi = dict(context.multi)
    if "x-b3-spanid" in multi:
        parent, multi["x-b3-spanid"] = multi["x-b3-spanid"], span_id
        multi["x-b3-parentspanid"] = parent
    headers.extend((name, multi[name]) for name in B3_NAMES if name in multi)
    return headers


def _has_decision(context: TraceContext) -> bool:
    return bool(context.b3 or context.multi)


def _child_of_b3(value: str, span_id: str) -> str:
    parts = value.split("-")
    if len(parts) == 1:
        return value  # a decision without ids
    sampled = f"-{parts[2]}-{parts[1]}" if len(parts) > 2 else ""
    return f"{parts[0]}-{span_id}{sampled}"


def _tracestate(context: TraceContext, process_key: int, number: int) -> str:
    """Return the members of the inbound call behind our own, as far as the limits permit."""
    own = f"ft={process_key:016x}:{number:x}"
    if not context.tracestate:
        return own
    received = _members(context.tracestate)
    if received is None:
        return context.tracestate
    others = [member for member in received if not member.startswith("ft=")]
    members = [own, *others][:_MAX_MEMBERS]
    size = sum(map(len, members)) + len(members) - 1
    while size > _MAX_TRACESTATE:
        large = [i for i, member in enumerate(members) if len(member) > _MAX_LARGE_MEMBER]
        size -= len(members.pop(large[-1] if large else -1)) + 1
    return ",".join(members)
