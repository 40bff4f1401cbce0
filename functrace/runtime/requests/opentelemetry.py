"""The current span of OpenTelemetry, if the program uses it, read as stored."""

from __future__ import annotations

from _contextvars import ContextVar

from functrace.runtime import BUILTINS, MODULES
from functrace.runtime.raw_attributes import exact_items, get_dict
from functrace.runtime.requests.parts import get_attribute, parse_headers

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace._native._recorder import TraceContext

globals()["__builtins__"] = BUILTINS

_SAMPLED = 1


def current_context(inbound: TraceContext) -> TraceContext | None:
    """Return the context of the current span, or None.

    Args:
        inbound: of the inbound call, whose members of tracestate are continued if its trace is the
            span's.
    """
    propagation = MODULES.get("opentelemetry.trace.propagation")
    if propagation is None:
        return None
    span_context = _span_context(get_dict(propagation).get("_SPAN_KEY"))
    if span_context is None:
        return None
    trace_id, span_id = tuple.__getitem__(span_context, 0), tuple.__getitem__(span_context, 1)
    if not (_is_id(trace_id, 128) and _is_id(span_id, 64)):
        return None
    flags = tuple.__getitem__(span_context, 3)
    is_sampled = issubclass(type(flags), int) and bool(int.__and__(flags, _SAMPLED))
    headers = [("traceparent", f"00-{trace_id:032x}-{span_id:016x}-{is_sampled:02x}")]
    if inbound.ids[:16] == int.to_bytes(trace_id, 16, "big"):
        headers.append(("tracestate", inbound.tracestate))
    context: TraceContext = parse_headers(headers)
    return context


def _span_context(span_key: Any) -> Any:
    """Return the SpanContext of the current span, a tuple, or None."""
    runtime = get_dict(MODULES.get("opentelemetry.context")).get("_RUNTIME_CONTEXT")
    variable = get_attribute(runtime, "_current_context")
    if type(variable) is not ContextVar or type(span_key) is not str:
        return None
    current: Any = variable.get(None)
    if not issubclass(type(current), dict):
        return None
    span = exact_items(dict.copy(current)).get(span_key)
    context = get_attribute(span, "_context")
    if context is None:
        context = get_attribute(span, "_span_context")
    is_valid = issubclass(type(context), tuple) and tuple.__len__(context) >= 4
    return context if is_valid else None


def _is_id(number: Any, bits: int) -> bool:
    return type(number) is int and 0 < number < 1 << bits
