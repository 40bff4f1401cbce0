"""Takes OTLP as a collector does: what came over the wire is decoded with the official messages."""

from __future__ import annotations

import gzip
import ssl
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.waiting import PATIENCE

_PROTOBUF = "application/x-protobuf"
_DECODE: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


@dataclass
class Reply:
    """What is answered to a request. The status is HTTP's, or gRPC's by name."""

    status: int | str = 200
    message: str = ""
    rejected: int = 0
    retry_after: float | str | None = None
    body: bytes | None = None
    content_type: str = _PROTOBUF
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    """nothing is answered before the receiver is closed"""
    has_details: bool = False
    """gRPC's retry_after is a detail of the status"""
    cut: bool = False
    """the connection ends without an answer"""

    @property
    def takes(self) -> bool:
        return self.status in (200, "OK") and not self.hangs and not self.cut


@dataclass
class Received:
    """What came so far: of each request, and of those that were taken."""

    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    taken: list[ExportTraceServiceRequest] = field(default_factory=list)

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in self.taken
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Receiver:
    """Collector that gives each reply once, then accepts everything.

    Args:
        replies: to the first requests, in their order.
    """

    def __init__(self, *replies: Reply) -> None:
        self.received = Received()
        self.endpoint = ""
        self.closing = Event()
        self._replies = list(replies)
        self._more = Condition()

    def wait_for(self, count: int) -> None:
        """Until so many requests have come."""
        with self._more:
            assert self._more.wait_for(
                lambda: len(self.received.requests) >= count, timeout=PATIENCE
            )

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """What to answer to a request."""
        request = ExportTraceServiceRequest.FromString(body)
        with self._more:
            received = self.received
            received.paths.append(path)
            received.headers.append(headers)
            received.requests.append(request)
            reply = self._replies.pop(0) if self._replies else Reply()
            if reply.takes:
                received.taken.append(request)
            self._more.notify_all()
        if reply.hangs:
            self.closing.wait()
        return reply


@contextmanager
def over_http(*replies: Reply, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver for OTLP over HTTP, or HTTPS."""
    receiver = Receiver(*replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            body = _DECODE[headers.get("content-encoding", "")](body)
            reply = receiver.take(self.path, headers, body)
            if reply.cut or reply.hangs:
                self.close_connection = True
                return
            self._answer(reply)

        def _answer(self, reply: Reply) -> None:
            body = _body(reply)
            self.send_response(int(reply.status))
            if reply.retry_after is not None:
                self.send_header("Retry-After", str(reply.retry_after))
            for key, value in reply.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # the client has hung up, as some tests want it to

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        receiver.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield receiver
        receiver.closing.set()
        server.shutdown()
        thread.join()


def _body(reply: Reply) -> bytes:
    if reply.body is not None:
        return reply.body
    if reply.status != 200:
        return bytes(Status(message=reply.message).SerializeToString())
    return _response(reply).SerializeToString()


def _response(reply: Reply) -> ExportTraceServiceResponse:
    response = ExportTraceServiceResponse()
    if reply.rejected or reply.message:
        response.partial_success.rejected_spans = reply.rejected
        response.partial_success.error_message = reply.message
    return response


@contextmanager
def over_grpc(*replies: Reply, credentials: Any = None) -> Iterator[Receiver]:
    """A receiver for OTLP over gRPC, encrypted with credentials."""
    receiver = Receiver(*replies)

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> ExportTraceServiceResponse:  # noqa: N802
            headers = dict(context.invocation_metadata())
            reply = receiver.take("Export", headers, request.SerializeToString())
            if reply.status not in (200, "OK"):
                if reply.retry_after is not None:
                    delay = Duration()
                    delay.FromMilliseconds(round(float(reply.retry_after) * 1000))
                    info = RetryInfo(retry_delay=delay)
                    key, value = "google.rpc.retryinfo-bin", info.SerializeToString()
                    if reply.has_details:
                        status = Status(code=grpc.StatusCode[str(reply.status)].value[0])
                        status.details.add().Pack(info)
                        key, value = "grpc-status-details-bin", status.SerializeToString()
                    context.set_trailing_metadata(((key, value),))
                context.abort(grpc.StatusCode[str(reply.status)], reply.message)
            return _response(reply)

    server = grpc.server(ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Service(), server)
    if credentials is None:
        receiver.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
        receiver.endpoint = f"https://127.0.0.1:{port}"
    server.start()
    yield receiver
    receiver.closing.set()
    server.stop(None).wait()
