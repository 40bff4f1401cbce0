"""HTTP server that records requests, on a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Recorded:
    """Requests so far, and the responses to give."""

    url: str = ""
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    """method, path and body"""
    statuses: list[int] = field(default_factory=list)
    """of the next responses; 200 when there are no more"""
    pages: dict[str, bytes] = field(default_factory=dict)
    """bodies by path; other paths are empty"""


@contextmanager
def serve() -> Iterator[Recorded]:
    """Serve on loopback until the block ends."""
    found = Recorded()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            found.requests.append((self.command, self.path, body))
            content = found.pages.get(self.path, b"")
            self.send_response(found.statuses.pop(0) if found.statuses else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
