"""Speed of sending calls as OpenTelemetry spans: calls per second of wall and CPU time, and memory.

    python benchmarks/otlp.py [calls]

The receiver is a separate process that only reads requests. For comparison, the SDK sends its own
spans, as in a program that OpenTelemetry instruments. The last rows show what share of the calls
is sent by programs that send while they run.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

_READER = Path(__file__).resolve().parent / "reader.py"
_CASES = ("http/protobuf", "http/protobuf gzip", "grpc", "errors", "sdk")
_SDK_SPANS = 100_000

_RATES = (10_000, 50_000, 200_000)  # calls a second
_SECONDS = 10
_ROOM = "8M"  # half a million calls, so that it is full soon
_CHOICES = {"every call": {}, "1% of traces": {"FUNCTRACE_OTLP_SAMPLE": "1%"}}
_PROGRAM = """
import sys, time
import functrace

@functrace.trace
def leaf(): pass

rate, seconds = map(int, sys.argv[1:])
begin, made = time.perf_counter(), 0
while made < rate * seconds:
    due = min(int((time.perf_counter() - begin) * rate), rate * seconds)
    for _ in range(due - made): leaf()
    made = due
    time.sleep(0.01)
print(time.time())
"""


def otlp(calls: int = 1_000_000) -> None:
    """Print the figures of a trace with ``calls`` calls; each case runs in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.ftrace"
        subprocess.run(
            [sys.executable, str(_READER), str(2 * calls), path], check=True, capture_output=True
        )
        print(f"{calls:,} calls as spans")
        for case in _CASES:
            with _receiver("grpc" if case == "grpc" else "http") as endpoint:
                command = [sys.executable, __file__, "--send", path, endpoint, case]
                figures = json.loads(
                    subprocess.run(command, check=True, capture_output=True).stdout
                )
            print(
                f"  {case:20}", *(f"{key} {value:,.0f}" for key, value in figures.items()), sep="  "
            )
    with _receiver("http") as endpoint:
        for choice, variables in _CHOICES.items():
            for rate in _RATES:
                _measure_live(choice, rate, {**variables, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})


def _measure_live(choice: str, rate: int, variables: dict[str, str]) -> None:
    """Run a program; its sender shares standard error, which is closed when all is sent."""
    environment = {"FUNCTRACE": "otlp", "FUNCTRACE_MAX_SIZE": _ROOM, **variables}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(rate), str(_SECONDS)],
        env={**os.environ, "PYTHONPATH": str(_READER.parents[1]), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    later = time.time() - float(done.stdout)
    lost = re.search(r"([\d,]+) events? overwritten", done.stderr)
    share = 1 - int(lost[1].replace(",", "")) / (2 * rate * _SECONDS) if lost else 1
    print(
        f"  live, {choice}, {rate:,} calls/s", f"read {share:.0%}", f"{later:.1f} s later", sep="  "
    )
    if done.stderr:
        print(f"    {done.stderr.strip()}")


def _send(path: str, endpoint: str, case: str) -> None:
    begin, begin_busy = time.perf_counter(), time.process_time()
    calls, sent = _sdk(endpoint) if case == "sdk" else _functrace(path, endpoint, case)
    figures = {
        "calls/s": calls / (time.perf_counter() - begin),
        "calls/s of CPU": calls / (time.process_time() - begin_busy),
        "sent": sent,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures))


def _functrace(path: str, endpoint: str, case: str) -> tuple[int, int]:
    from functrace.export import otlp
    from functrace.tracefile import open_trace

    if case.endswith("gzip"):
        os.environ["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip"
    transport = otlp.connect(endpoint, "grpc" if case == "grpc" else "http/protobuf")
    # Nothing failed in this trace: what is measured is how fast that is found out.
    options = otlp.Options(errors=case == "errors")
    trace = open_trace(path)
    done = otlp.export([trace], transport, options)
    transport.close()
    return trace.events // 2, done.sent


def _sdk(endpoint: str) -> tuple[int, int]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=2 * _SDK_SPANS, max_export_batch_size=2048)
    )
    tracer = provider.get_tracer("benchmark")
    attributes = {"code.function.name": "main.f", "code.file.path": "main.go", "thread.id": 1}
    for _ in range(_SDK_SPANS):
        tracer.start_span("main.f", attributes=attributes).end()
    provider.shutdown()
    return _SDK_SPANS, _SDK_SPANS


@contextmanager
def _receiver(protocol: str) -> Iterator[str]:
    command = [sys.executable, __file__, "--receive", protocol]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def _receive(protocol: str) -> None:
    if protocol == "grpc":
        _receive_grpc()
        return

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


def _receive_grpc() -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    # Requests are not parsed, only received.
    export = grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {"Export": export}),)
    )
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--send"]:
        _send(*sys.argv[2:])
    elif sys.argv[1:2] == ["--receive"]:
        _receive(*sys.argv[2:])
    else:
        otlp(*(int(float(count)) for count in sys.argv[1:2]))
