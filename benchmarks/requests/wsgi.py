"""Answers requests by WSGI in memory, prints nanoseconds of CPU time each: wsgi.py TOOL."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.handlers import SimpleHandler

from turns import measure

_ENVIRON = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/items/17",
    "SERVER_NAME": "shop",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def answer(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer any request."""
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def _with_opentelemetry(app: _App) -> _App:
    """Return the application with a span for each request, which is sampled and then dropped."""
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    wrapped: _App = OpenTelemetryMiddleware(app, tracer_provider=provider)
    return wrapped


def main() -> None:
    """Print the least of several runs."""
    app = _with_opentelemetry(answer) if sys.argv[1] == "opentelemetry" else answer

    def serve(requests: int) -> None:
        for _ in range(requests):
            output = io.BytesIO()
            SimpleHandler(io.BytesIO(), output, sys.stderr, dict(_ENVIRON)).run(app)

    print(measure(serve))


if __name__ == "__main__":
    main()
