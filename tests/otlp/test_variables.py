"""OpenTelemetry's environment variables, and the resource of the spans."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from functrace.errors import UsageError
from functrace.export.otlp import StoppedError, connect, export
from functrace.export.otlp.resource import resource
from functrace.tracefile import Trace, open_trace
from tests.otlp.program import Program
from tests.otlp.receiver import Receiver, over_grpc, over_http
from tests.otlp.test_spans import attributes
from tests.tracefile import writer as w

Traced = Callable[[Program], Trace]
Variables = Callable[..., None]


@pytest.fixture
def trace(traced: Traced) -> Trace:
    return traced(Program(seed=1, steps=20))


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"OTEL_{name}", value)

    return put


def send(trace: Trace, endpoint: str | None = None, protocol: str | None = None) -> None:
    transport = connect(endpoint, protocol)
    try:
        assert export([trace], transport).sent
    finally:
        transport.close()


def test_endpoint(trace: Trace, variables: Variables) -> None:
    with over_http() as receiver:
        for path in ("", "/", "/otlp", "/v1/traces"):
            send(trace, receiver.endpoint + path)
        variables(EXPORTER_OTLP_ENDPOINT=f"{receiver.endpoint}/base/")
        send(trace)
        variables(EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.endpoint}/exactly")
        send(trace)
    assert receiver.received.paths == [
        "/v1/traces",
        "/v1/traces",
        "/otlp/v1/traces",
        "/v1/traces",
        "/base/v1/traces",
        "/exactly",
    ]


def test_protocol(trace: Trace, variables: Variables) -> None:
    with over_grpc() as receiver:
        variables(EXPORTER_OTLP_PROTOCOL="http/protobuf", EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
        variables(EXPORTER_OTLP_TRACES_PROTOCOL="grpc")
        send(trace)
        assert len(receiver.received.requests) == 1
    variables(EXPORTER_OTLP_TRACES_PROTOCOL="http/json")
    with pytest.raises(UsageError, match="unknown OTLP protocol http/json: use http/prot"):
        connect()


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_headers_and_compression(trace: Trace, variables: Variables, over: Any) -> None:
    variables(
        EXPORTER_OTLP_HEADERS="x-tenant=shop,authorization=Basic%20eDp5",
        EXPORTER_OTLP_COMPRESSION="gzip",
    )
    with over() as receiver:
        send(trace, receiver.endpoint, "grpc" if over is over_grpc else None)
    (headers,) = receiver.received.headers
    assert (headers["x-tenant"], headers["authorization"]) == ("shop", "Basic eDp5")
    if over is over_http:
        assert headers["content-encoding"] == "gzip"
        assert headers["content-type"] == "application/x-protobuf"


def test_an_unknown_compression_is_ignored(trace: Trace, variables: Variables) -> None:
    variables(EXPORTER_OTLP_COMPRESSION="brotli")
    with over_http() as receiver:
        send(trace, receiver.endpoint)
    assert "content-encoding" not in receiver.received.headers[0]


def test_unsupported_settings(variables: Variables) -> None:
    with pytest.raises(UsageError, match="localhost:4318: must be a URL such as http://localhost"):
        connect("localhost:4318")
    variables(EXPORTER_OTLP_COMPRESSION="deflate")
    with pytest.raises(UsageError, match="compression deflate is not supported over gRPC"):
        connect(protocol="grpc")
    variables(EXPORTER_OTLP_COMPRESSION="none", EXPORTER_OTLP_TIMEOUT="soon")
    with pytest.raises(UsageError, match="OTEL_EXPORTER_OTLP_TIMEOUT=soon: must be a"):
        connect(protocol="grpc")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize("name", ["EXPORTER_OTLP_TIMEOUT", "EXPORTER_OTLP_TRACES_TIMEOUT"])
def test_timeouts_are_milliseconds(
    trace: Trace, variables: Variables, protocol: str, name: str
) -> None:
    variables(**{name: "300"})
    begun = time.monotonic()
    with pytest.raises(StoppedError):
        send(trace, "http://127.0.0.1:9", protocol)
    assert time.monotonic() - begun < 10


def test_a_missing_certificate(trace: Trace, variables: Variables) -> None:
    variables(EXPORTER_OTLP_CERTIFICATE="/nowhere.pem")
    with pytest.raises(StoppedError, match=r"/nowhere\.pem"):
        send(trace, "https://127.0.0.1:1")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    found, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split()
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(found)]
    subprocess.run(command, check=True, capture_output=True)
    return found, key


def test_certificate(trace: Trace, variables: Variables, certificate: tuple[Path, Path]) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    variables(EXPORTER_OTLP_TIMEOUT="5000")
    with over_http(tls=tls) as receiver:
        with pytest.raises(StoppedError, match="certificate verify failed"):
            send(trace, receiver.endpoint)
        variables(EXPORTER_OTLP_CERTIFICATE=str(certificate[0]))
        send(trace, receiver.endpoint)
    assert len(receiver.received.requests) == 1


def test_client_certificate(
    trace: Trace, variables: Variables, certificate: tuple[Path, Path]
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    tls.load_verify_locations(certificate[0])
    tls.verify_mode = ssl.CERT_REQUIRED
    variables(EXPORTER_OTLP_TIMEOUT="700", EXPORTER_OTLP_CERTIFICATE=str(certificate[0]))
    with over_http(tls=tls) as receiver:
        with pytest.raises(StoppedError):
            send(trace, receiver.endpoint)
        variables(
            EXPORTER_OTLP_CLIENT_CERTIFICATE=str(certificate[0]),
            EXPORTER_OTLP_CLIENT_KEY=str(certificate[1]),
        )
        send(trace, receiver.endpoint)
    assert len(receiver.received.requests) == 1


def test_certificates_over_grpc(
    trace: Trace, variables: Variables, certificate: tuple[Path, Path]
) -> None:
    found, key = certificate
    pair = (key.read_bytes(), found.read_bytes())
    server = grpc.ssl_server_credentials([pair], found.read_bytes(), require_client_auth=True)
    variables(EXPORTER_OTLP_TIMEOUT="700", EXPORTER_OTLP_CERTIFICATE=str(found))
    with over_grpc(credentials=server) as receiver:
        with pytest.raises(StoppedError, match="UNAVAILABLE"):
            send(trace, receiver.endpoint, "grpc")
        variables(EXPORTER_OTLP_TIMEOUT="5000")
        variables(
            EXPORTER_OTLP_CLIENT_CERTIFICATE=str(found), EXPORTER_OTLP_TRACES_CLIENT_KEY=str(key)
        )
        send(trace, receiver.endpoint, "grpc")
    assert len(receiver.received.requests) == 1


def test_invalid_certificates_over_grpc(variables: Variables) -> None:
    variables(EXPORTER_OTLP_CLIENT_KEY=__file__)
    with pytest.raises(UsageError, match="a client key requires a client certificate"):
        connect("https://127.0.0.1:1", "grpc")
    variables(EXPORTER_OTLP_CLIENT_CERTIFICATE="/nowhere.pem")
    with pytest.raises(UsageError, match=r"No such file or directory: '/nowhere\.pem'"):
        connect("https://127.0.0.1:1", "grpc")


def test_insecure_applies_without_a_scheme(trace: Trace, variables: Variables) -> None:
    """The scheme overrides the variable."""
    variables(EXPORTER_OTLP_TIMEOUT="700")
    with over_grpc() as receiver:
        address = receiver.endpoint.removeprefix("http://")
        with pytest.raises(StoppedError, match="UNAVAILABLE"):
            send(trace, address, "grpc")
        variables(EXPORTER_OTLP_INSECURE="true")
        send(trace, address, "grpc")
        variables(EXPORTER_OTLP_INSECURE="false")
        send(trace, receiver.endpoint, "grpc")
    assert len(receiver.received.requests) == 2


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_an_invalid_header(trace: Trace, variables: Variables, protocol: str) -> None:
    variables(EXPORTER_OTLP_HEADERS="x-tenant=a%0Ab")
    with pytest.raises(StoppedError, match=r"(?i)header|metadata"):
        send(trace, "http://127.0.0.1:9", protocol)


def resource_of(receiver: Receiver) -> dict[str, Any]:
    (request,) = receiver.received.requests
    return attributes(request.resource_spans[0].resource)


def test_resource(trace: Trace, variables: Variables) -> None:
    with over_http() as receiver:
        send(trace, receiver.endpoint)
    resource = resource_of(receiver)
    assert len(resource.pop("service.instance.id")) == 36
    assert resource.pop("telemetry.sdk.version")
    assert resource == {
        "service.name": "shop",
        "process.pid": 4194303,
        "process.command_args": ["./bin/shop", "-v"],
        "process.executable.path": "/srv/bin/shop",
        "process.executable.name": "shop",
        "process.runtime.name": "go",
        "process.runtime.version": "go1.27.3",
        "process.runtime.description": "go1.27.3 linux/amd64",
        "host.name": "web1",
        "telemetry.sdk.name": "functrace",
        "telemetry.sdk.language": "go",
    }
    variables(
        SERVICE_NAME="till", RESOURCE_ATTRIBUTES="deployment.environment.name=a%20b,host.name=x"
    )
    with over_http() as receiver:
        send(trace, receiver.endpoint)
    resource = resource_of(receiver)
    assert resource["service.name"] == "till"
    assert resource["deployment.environment.name"] == "a b"
    assert resource["host.name"] == "x"


def test_resource_of_a_python_process(tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    facts = (
        '{"argv": ["/usr/bin/python3", "-m", "shop.web"], "executable": "/usr/bin/python3",'
        ' "ppid": 7, "runtime": "CPython 3.13.0 linux",'
        ' "build": {"main": "shop.web", "version": "2.1"}}'
    )
    content = w.facts(1, w.process(facts), w.function(1, "shop.web.main", "web.py"))
    path.write_bytes(
        w.header(language=2) + content + w.events(2, w.track(1, 1000, kind=2), w.enter(1, 5))
    )
    with over_http() as receiver:
        send(open_trace(path), receiver.endpoint)
    resource = resource_of(receiver)
    assert resource["service.name"] == "shop.web"
    assert resource["service.version"] == "2.1"
    assert resource["process.parent_pid"] == 7
    assert resource["process.runtime.name"] == "cpython"
    assert resource["process.runtime.version"] == "3.13.0"
    assert resource["telemetry.sdk.language"] == "python"


@pytest.mark.parametrize(
    ("main", "arguments", "name"),
    [
        ("/srv/till.py", ["python", "/srv/till.py"], "till"),
        ("shop.__main__", ["python", "-m", "shop"], "shop"),
        ("/cache/5f.pyc", ["python", "/cache/5f.pyc", "./till.py", "-m"], "till"),
        ("/cache/5f.pyc", ["python", "/cache/5f.pyc", "-m", "shop.web"], "shop.web"),
        ("/cache/5f.pyc", ["python"], "python"),
    ],
)
def test_the_service_name_of_a_python_process(
    tmp_path: Path, main: str, arguments: list[str], name: str
) -> None:
    path = tmp_path / "x.ftrace"
    facts = w.process(json.dumps({"argv": arguments, "build": {"main": main}}))
    path.write_bytes(w.header(language=2) + w.facts(1, facts))
    assert resource(open_trace(path))["service.name"] == name
