"""Exporter settings from the OTEL_EXPORTER_OTLP variables.

Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.util.re import parse_env_headers

from functrace import __version__
from functrace.errors import UsageError
from functrace.export.otlp.redaction import redact

GRPC, HTTP = "grpc", "http/protobuf"
PROTOCOLS = (HTTP, GRPC)
USER_AGENT = f"functrace/{__version__}"

_DEFAULT_ENDPOINTS = {HTTP: "http://localhost:4318", GRPC: "http://localhost:4317"}
_PATH = "/v1/traces"
_DEFAULT_TIMEOUT = "10000"


@dataclass(frozen=True)
class ExporterSettings:
    """Settings of a connection to a collector."""

    protocol: str
    endpoint: str
    """URL; over HTTP with the path for traces, over gRPC possibly without a scheme"""
    headers: Mapping[str, str]
    """values by lower-case name"""
    compression: str
    """lower-case name, such as gzip; empty for none"""
    timeout_s: float
    """timeout of a request, including its retries"""
    certificate: str | None
    """file with the certificates of trusted authorities"""
    client_certificate: str | None
    client_key: str | None
    insecure: bool
    """whether a gRPC connection to an endpoint without a scheme is not encrypted"""


def read_settings(
    environment: Mapping[str, str], endpoint: str | None = None, protocol: str | None = None
) -> ExporterSettings:
    """Read the settings from an environment; arguments override its variables.

    Raises:
        UsageError: an argument or a variable is invalid or not supported.
    """

    def variable(name: str) -> str:
        """Return a variable; the one for traces overrides the one for all signals."""
        return environment.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or environment.get(
            f"OTEL_EXPORTER_OTLP_{name}", ""
        )

    protocol = protocol or variable("PROTOCOL") or HTTP
    if protocol not in PROTOCOLS:
        raise UsageError(f"unknown OTLP protocol {protocol}: use {' or '.join(PROTOCOLS)}")
    if protocol == HTTP and endpoint and not endpoint.startswith(("http://", "https://")):
        raise UsageError(f"{redact(endpoint)}: must be a URL such as http://localhost:4318")
    compression = variable("COMPRESSION").strip().lower()
    return ExporterSettings(
        protocol=protocol,
        endpoint=_endpoint(environment, endpoint, protocol),
        headers=parse_env_headers(variable("HEADERS"), liberal=True),
        compression="" if compression == "none" else compression,
        timeout_s=_timeout_s(variable("TIMEOUT") or _DEFAULT_TIMEOUT),
        certificate=variable("CERTIFICATE") or None,
        client_certificate=variable("CLIENT_CERTIFICATE") or None,
        client_key=variable("CLIENT_KEY") or None,
        insecure=variable("INSECURE").strip().lower() == "true",
    )


def _endpoint(environment: Mapping[str, str], argument: str | None, protocol: str) -> str:
    for_traces = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") or _DEFAULT_ENDPOINTS[protocol]
    if protocol == GRPC:
        return argument or for_traces or base
    if argument:
        return argument.rstrip("/").removesuffix(_PATH) + _PATH
    return for_traces or base.rstrip("/") + _PATH


def _timeout_s(text: str) -> float:
    """Convert the timeout, which the specification defines in milliseconds, to seconds."""
    timeout_ms = float(text) if text.replace(".", "", 1).isdecimal() else 0.0
    if not timeout_ms:
        raise UsageError(
            f"OTEL_EXPORTER_OTLP_TIMEOUT={text}: must be a positive number of milliseconds"
        )
    return timeout_ms / 1000
