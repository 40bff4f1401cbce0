"""HTTP server of the viewer.

It is the standard library's: the dozen addresses are a table, nothing is uploaded, and there are no
sessions, so that a framework would only add a dependency to every installation.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from functrace.errors import FunctraceError, UsageError
from functrace.tracefile import truncation
from functrace.view import static_files
from functrace.view.access import Access
from functrace.view.answers import HEADERS, Answer, error_answer, json_answer
from functrace.view.query import Query
from functrace.view.served import Served

_HOST = "127.0.0.1"
_IDLE_SECONDS = 60
_API = "api/"
_NOT_FOUND = Answer(HTTPStatus.NOT_FOUND)


class Server(ThreadingHTTPServer):
    """Server of traces or of a store on the loopback interface.

    Attributes:
        served: what it shows.
        access: its token and port.
    """

    daemon_threads = True
    request_queue_size = 64  # a browser opens six connections for each window

    def __init__(self, served: Served, port: int = 0) -> None:
        super().__init__((_HOST, port), _Handler)
        self.served = served
        self.access = Access(self.server_address[1])

    def run(self) -> None:
        """Answer requests until the thread is interrupted, and prepare those to come."""
        threading.Thread(target=self._prepare, daemon=True).start()
        self.serve_forever()

    def _prepare(self) -> None:
        with suppress(Exception):  # a page that needs the analysis that failed shows the error
            self.served.prepare()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a connection that broke."""

    def answer(self, path: str, query: str) -> Answer:
        """Return the answer for a path below the token."""
        try:
            if path.startswith(_API):
                found = self.served.answer(path.removeprefix(_API), Query.parse(query))
                answer = json_answer(found)
                truncation.check()
                return answer
            return static_files.answer(path) or _NOT_FOUND
        except UsageError as error:
            return error_answer(HTTPStatus.BAD_REQUEST, str(error))
        except FunctraceError as error:
            return error_answer(HTTPStatus.NOT_FOUND, str(error))
        except MemoryError:
            return error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "there is too little memory")
        except Exception as error:  # noqa: BLE001  # a page shows the error, and others still work
            sentence = f"functrace view failed: {type(error).__name__}: {error}"
            return error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, sentence)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS

    def handle_one_request(self) -> None:
        """Answer a request of any method, so that none tells whether an address exists."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or len(self.raw_requestline) > 65536:
            self.close_connection = True
        elif self.parse_request():
            self._answer()
            self.wfile.flush()

    def _answer(self) -> None:
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # its content is not read
        path = self.server.access.path_of(
            self.path, self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        )
        if path is None:
            self._send(_NOT_FOUND)
        elif self.command not in ("GET", "HEAD"):
            self._send(Answer(HTTPStatus.METHOD_NOT_ALLOWED))
        else:
            self._send(self.server.answer(path, self.path.partition("?")[2]))

    def _send(self, answer: Answer) -> None:
        headers, content = answer.encoded(self.headers.get("Accept-Encoding", ""))
        self.send_response_only(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, *_: Any, **__: Any) -> None:
        """Refuse a request that is not HTTP."""
        self.close_connection = True
        self.send_response_only(code)
        for name, value in {**HEADERS, "Content-Length": "0", "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing: an address contains the token."""
