"""Sends requests by urllib in memory, prints nanoseconds of CPU time each: http_client.py TOOL."""

from __future__ import annotations

import http.client
import io
import sys
import urllib.request
from typing import Any

from turns import measure

_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _Socket:
    """A socket that answers everything."""

    def sendall(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(_RESPONSE)


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock: Any = _Socket()


class _Handler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)


def main() -> None:
    """Print the least of several runs."""
    if sys.argv[1] == "opentelemetry":
        from opentelemetry.instrumentation.urllib import URLLibInstrumentor
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

        provider = TracerProvider()
        provider.add_span_processor(SpanProcessor())
        URLLibInstrumentor().instrument(tracer_provider=provider)
    opener = urllib.request.OpenerDirector()
    opener.add_handler(_Handler())

    def send(requests: int) -> None:
        for _ in range(requests):
            with opener.open("http://shop/items/17") as response:
                response.read()

    print(measure(send))


if __name__ == "__main__":
    main()
