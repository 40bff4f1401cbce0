"""Attributes of the spans of requests, as OpenTelemetry's semantic conventions define them."""

from __future__ import annotations

from functrace.export.otlp.request_calls import RequestCall

Value = str | int | bool | list[str]

_GRPC_CODES = """
    OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS
    PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED
    INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED
""".split()
_OTHER = "_OTHER"


def request_attributes(request: RequestCall) -> dict[str, Value]:
    """Return the attributes of a request."""
    facts = _grpc(request) if request.is_grpc else _http(request)
    return facts | {"functrace.request": request.name}


def error_type(request: RequestCall) -> str:
    """Return the type of a failed request's error: its status, if it has one."""
    if request.is_grpc and 0 < request.status < len(_GRPC_CODES):
        return _GRPC_CODES[request.status]
    return str(request.status) if not request.is_grpc and request.status >= 400 else _OTHER


def peer_host(request: RequestCall) -> str:
    """Return the host that an outbound call was sent to; empty if its name contains none."""
    if request.is_inbound or request.is_grpc:
        return ""
    return request.name.partition(" ")[2].partition("/")[0]


def _http(request: RequestCall) -> dict[str, Value]:
    method, _, target = request.name.partition(" ")
    facts: dict[str, Value] = {"http.request.method": _OTHER if method == "OTHER" else method}
    if request.is_inbound and request.route:
        facts["http.route"] = request.route.partition(" ")[2]
    if request.is_inbound and target.startswith("/"):
        facts["url.path"] = target
    if peer_host(request):
        facts["server.address"] = peer_host(request)
        facts["url.template"] = "/" + target.partition("/")[2]
    if request.status > 0:
        facts["http.response.status_code"] = request.status
    return facts


def _grpc(request: RequestCall) -> dict[str, Value]:
    service, _, method = request.name.removeprefix("grpc ").rpartition("/")
    facts: dict[str, Value] = {"rpc.system": "grpc", "rpc.method": method}
    if service:
        facts["rpc.service"] = service
    if request.status >= 0:
        facts["rpc.grpc.status_code"] = request.status
    return facts
