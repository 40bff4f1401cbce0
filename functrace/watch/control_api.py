"""Requests to a running watcher: its state, its processes, and bundles by hand.

GET /v1/status, /v1/processes and /v1/bundles; POST /v1/dump with {"target": NAME, PID or GROUP}.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from functrace import __version__
from functrace.watch.watcher import Asked, Snapshot

_MAX_BODY = 4096
_TIMEOUT_S = 10.0
_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class ApiError(Exception):
    """A request that is refused."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """Answers requests.

    Attributes:
        snapshot: returns the watcher's latest state.
        ask: hands a request for bundles to the watcher.
        token: what requests must contain; None on a socket that only the user can reach.
    """

    snapshot: ClassVar[Callable[[], Snapshot]]
    ask: ClassVar[Callable[[Asked], None]]
    token: ClassVar[str | None] = None
    timeout = _TIMEOUT_S
    server_version = f"functrace/{__version__}"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer a request for a state."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Answer a request for bundles."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's name)
        """Log nothing."""

    def address_string(self) -> str:
        """Return nothing: a Unix socket has no address."""
        return ""

    def _answer(self, respond: Callable[[], Any]) -> None:
        try:
            self._check()
            status, found = HTTPStatus.OK, respond()
        except ApiError as error:
            status, found = error.status, {"error": str(error)}
        body = json.dumps(found).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def _check(self) -> None:
        if self.token is None:
            return
        host = self.headers.get("Host", "").rpartition(":")
        if (host[0] if host[2].isdigit() else host[2]) not in _HOSTS:
            raise ApiError(HTTPStatus.FORBIDDEN, "the Host header is not that of this machine")
        given = self.headers.get("Authorization", "").encode(errors="replace")
        if not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
            raise ApiError(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong")

    def _get(self) -> Any:
        snapshot = type(self).snapshot()
        found = {
            "/v1/status": {
                "at": snapshot.at,
                "version": __version__,
                "processes": snapshot.processes,
                "triggers": snapshot.triggers,
                "bundles": snapshot.bundles,
            },
            "/v1/processes": snapshot.processes,
            "/v1/bundles": snapshot.bundles,
        }
        if self.path not in found:
            raise ApiError(HTTPStatus.NOT_FOUND, f"no such page; there are {', '.join(found)}")
        return found[self.path]

    def _post(self) -> Any:
        if self.path != "/v1/dump":
            raise ApiError(HTTPStatus.NOT_FOUND, "no such page; there is /v1/dump")
        asked = Asked(self._target())
        type(self).ask(asked)
        if not asked.done.wait(_TIMEOUT_S):
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "the watcher is busy; try again")
        if asked.error is not None:
            raise ApiError(HTTPStatus.NOT_FOUND, asked.error)
        return {"bundles": asked.identifiers}

    def _target(self) -> str:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            raise ApiError(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing")
        if len(length) > 6 or int(length) > _MAX_BODY:
            raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {_MAX_BODY} bytes")
        try:
            target = json.loads(self.rfile.read(int(length)))["target"]
        except (ValueError, LookupError, TypeError, RecursionError):
            target = None
        if not isinstance(target, str | int) or isinstance(target, bool) or target == "":
            raise ApiError(
                HTTPStatus.BAD_REQUEST, 'the body must be {"target": NAME, PID or GROUP}'
            )
        return str(target)
