"""Trace headers that an outbound call sends: W3C traceparent and tracestate, and B3.

``tests/vectors/trace_headers.json`` defines them.
"""

from __future__ import annotations

from functrace.runtime import BUILTINS

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from functrace._native._recorder import TraceContext

globals()["__builtins__"] = BUILTINS

_MAX_MEMBERS = 32
_MAX_TRACESTATE, _MAX_LARGE_MEMBER = 512, 128  # bytes


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
    return context.is_sampled or (not context.ids and not _has_decision(context))


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
    if context.traceparent or not context.ids:
        flags = "01" if are_spans_sampled(context) else "00"
        headers.insert(0, ("traceparent", f"00-{trace_id}-{span_id}-{flags}"))
    if context.b3:
        headers.append(("b3", _child_of_b3(context.b3, span_id)))
    headers.extend(_child_of_multi(dict(context.multi), span_id).items())
    return headers


def _has_decision(context: TraceContext) -> bool:
    return bool(context.b3 or context.multi)


def _child_of_multi(received: dict[str, str], span_id: str) -> dict[str, str]:
    parent = received.pop("x-b3-spanid", "")
    if not parent:
        return received
    trace_id = received.pop("x-b3-traceid")
    received.pop("x-b3-parentspanid", None)
    ids = {"x-b3-traceid": trace_id, "x-b3-spanid": span_id, "x-b3-parentspanid": parent}
    return {**ids, **received}


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
    received = context.members
    if received is None:
        return context.tracestate
    others = [member for member in received if not member.startswith("ft=")]
    members = [own, *others][:_MAX_MEMBERS]
    size = sum(map(len, members)) + len(members) - 1
    while size > _MAX_TRACESTATE:
        large = [i for i, member in enumerate(members) if len(member) > _MAX_LARGE_MEMBER]
        size -= len(members.pop(large[-1] if large else -1)) + 1
    return ",".join(members)
