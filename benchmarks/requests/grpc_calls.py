"""Makes calls of gRPC and answers them, prints nanoseconds of CPU time each: grpc_calls.py TOOL."""

from __future__ import annotations

import sys
from concurrent import futures
from typing import Any

import grpc
from turns import measure


def _use_opentelemetry() -> None:
    from opentelemetry.instrumentation.grpc import (
        GrpcInstrumentorClient,
        GrpcInstrumentorServer,
    )
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    GrpcInstrumentorServer().instrument(tracer_provider=provider)
    GrpcInstrumentorClient().instrument(tracer_provider=provider)


def _answer(request: bytes, _context: Any) -> bytes:
    return request


def main() -> None:
    """Print the least of several runs."""
    if sys.argv[1] == "opentelemetry":
        _use_opentelemetry()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    handlers = {"Get": grpc.unary_unary_rpc_method_handler(_answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        get = channel.unary_unary("/shop/Get")

        def call(requests: int) -> None:
            for _ in range(requests):
                get(b"item")

        print(measure(call))
    server.stop(None)


if __name__ == "__main__":
    main()
