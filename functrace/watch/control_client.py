"""Requests to the API of a running watcher through its Unix socket."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from functrace.errors import FunctraceError
from functrace.watch.control_server import SOCKET, short_path
from functrace.watch.state_folder import find_states, is_locked

_TIMEOUT_S = 30.0


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with short_path(self._path) as short:
            self.sock.connect(short)


def request(state: Path, page: str, body: Any = None) -> Any:
    """Return the answer of the watcher with a state folder.

    Raises:
        FunctraceError: it does not answer, or refuses the request.
    """
    connection = _Connection(state / SOCKET)
    try:
        if body is None:
            connection.request("GET", page)
        else:
            connection.request("POST", page, json.dumps(body))
        response = connection.getresponse()
        found = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FunctraceError(f"{state / SOCKET}: the watcher does not answer: {error}") from None
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise FunctraceError(str(found.get("error", response.reason)))
    return found


def find_watchers(state: Path | None, rings: Path | None) -> list[Path]:
    """Return the state folders of the watchers that run: that one, or those of these rings."""
    if state is not None:
        return [state] if is_locked(state) else []
    return find_states(rings)
