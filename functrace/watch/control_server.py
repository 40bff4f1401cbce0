"""Servers of the watcher's API: a Unix socket in its state folder, and a loopback port if asked."""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import HTTPServer
from pathlib import Path
from typing import Any

from functrace.errors import FunctraceError
from functrace.watch.control_api import Handler
from functrace.watch.metrics_server import parse_loopback
from functrace.watch.watcher import Watcher

SOCKET = "control"
_MAX_CONNECTIONS = 16


class _Bounded(socketserver.ThreadingMixIn):
    """A server with a bounded number of threads; more connections are closed."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *args: Any, **others: Any) -> None:
        self._free = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__(*args, **others)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)  # type: ignore[attr-defined]

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that closed its connection."""


class _Port(_Bounded, HTTPServer):
    pass


class _UnixServer(_Bounded, socketserver.UnixStreamServer):
    pass


@contextmanager
def serving(
    watcher: Watcher, folder: Path, listen: str | None, token: str
) -> Iterator[tuple[str, int] | None]:
    """Serve the API in threads. Yield the address and port that it also has, if any.

    Args:
        watcher: the watcher.
        folder: its state folder, in which the socket is.
        listen: address and port on the loopback interface, or None.
        token: secret for requests to that port.

    Raises:
        FunctraceError: the socket or the port cannot be used.
    """
    handler = {"snapshot": lambda: watcher.snapshot, "ask": watcher.ask}
    with ExitStack() as stack:
        stack.enter_context(_unix(folder, type("UnixHandler", (Handler,), handler)))
        if listen is not None:
            port_handler = type("PortHandler", (Handler,), {**handler, "token": token})
            yield stack.enter_context(_port(listen, port_handler))
        else:
            yield None


@contextmanager
def _unix(folder: Path, handler: type[Handler]) -> Iterator[None]:
    path = folder / SOCKET
    path.unlink(missing_ok=True)
    with short_path(path) as short:
        try:
            server = _UnixServer(short, handler)
        except OSError as error:
            raise FunctraceError(f"{path}: {error.strerror or error}") from None
    path.chmod(0o600)
    with _running(server):
        yield
    path.unlink(missing_ok=True)


@contextmanager
def _port(listen: str, handler: type[Handler]) -> Iterator[tuple[str, int]]:
    try:
        server = _Port(parse_loopback(listen), handler)
    except OSError as error:
        raise FunctraceError(f"--listen {listen}: {error.strerror}") from None
    with _running(server):
        yield str(server.server_address[0]), server.server_port


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yield a path that a Unix socket's address has room for."""
    if len(os.fsencode(path)) < 100 or not Path("/proc/self/fd").is_dir():
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
