"""A real Jaeger, built from the modules of the Go module proxy, with its storage in memory.

    python -m tests.support.jaeger

builds it and prints where it is. It stays in build/ until its version changes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tests.support.missing import MissingError
from tests.support.pythons import ROOT
from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE, wait_until

_HERE = Path(__file__).resolve().parent
_BUILD = ROOT / "build" / "jaeger"
_COMMAND = "github.com/jaegertracing/jaeger/cmd/all-in-one"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PORTS = (
    "query.http-server.host-port",
    "query.grpc-server.host-port",
    "collector.otlp.http.host-port",
    "collector.otlp.grpc.host-port",
    "collector.zipkin.host-port",
    "collector.http-server.host-port",
    "collector.grpc-server.host-port",
    "admin.http.host-port",
)
"""options whose values are addresses"""

Span = dict[str, Any]


class Jaeger:
    """A running Jaeger.

    Attributes:
        query: address of its API.
        otlp_http: address of OTLP over HTTP.
        otlp_grpc: address of OTLP over gRPC.
        zipkin: address of Zipkin's API.
    """

    def __init__(self, addresses: dict[str, str]) -> None:
        self.query = addresses["query.http-server.host-port"]
        self.otlp_http = addresses["collector.otlp.http.host-port"]
        self.otlp_grpc = addresses["collector.otlp.grpc.host-port"]
        self.zipkin = addresses["collector.zipkin.host-port"]
        self._admin = addresses["admin.http.host-port"]

    def services(self) -> list[str]:
        """Return the names of all services."""
        return sorted(self._get("/api/services")["data"] or [])

    def traces(self, service: str) -> list[Span]:
        """Return the traces of a service, each with `spans` and `processes`."""
        found = self._get(f"/api/traces?service={service}&limit=100000&lookback=custom")
        return list(found["data"])

    def _get(self, path: str) -> Any:
        with _OPENER.open(f"http://{self.query}{path}", timeout=PATIENCE) as response:
            return json.load(response)

    def is_up(self) -> bool:
        """Return whether it takes spans and answers queries."""
        try:
            with _OPENER.open(f"http://{self._admin}/", timeout=PATIENCE):
                return bool(self._get("/api/services"))
        except OSError:
            return False


def build(go: Go) -> Path:
    """Return the program, built if it has not been.

    Raises:
        MissingError: the toolchain is too old, or the module proxy does not answer.
    """
    files = [_HERE / name for name in ("go.mod", "go.sum")]
    sources = b"".join(file.read_bytes() for file in files)
    oldest = re.search(rb"^go (\d+)\.(\d+)", sources, re.MULTILINE)
    if oldest and go.release < (int(oldest[1]), int(oldest[2])):
        raise MissingError(f"Jaeger requires Go {oldest[1].decode()}.{oldest[2].decode()}")
    program = _BUILD / blake2b(sources, digest_size=8).hexdigest()
    _BUILD.mkdir(parents=True, exist_ok=True)
    with (_BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            done = go.run("build", "-ldflags=-s -w", "-o", str(program), _COMMAND, cwd=_HERE)
            (_BUILD / "build.log").write_text(done.stderr)
            if done.returncode:
                raise MissingError("no Jaeger, the Go module proxy does not answer for all of it")
    return program


@contextmanager
def running(program: Path, folder: Path) -> Iterator[Jaeger]:
    """Run Jaeger, with its log in a folder."""
    addresses = dict(zip(_PORTS, _free_addresses(len(_PORTS)), strict=True))
    options = [f"--{name}={address}" for name, address in addresses.items()]
    environment = {**os.environ, "SPAN_STORAGE_TYPE": "memory"}
    with (folder / "jaeger.log").open("wb") as log:
        process = subprocess.Popen(
            [str(program), *options], env=environment, stdout=log, stderr=log
        )
    jaeger = Jaeger(addresses)
    try:
        wait_until(lambda: jaeger.is_up() or process.poll() is not None)
        assert process.poll() is None, (folder / "jaeger.log").read_text()
        yield jaeger
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _free_addresses(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses
