"""Servers of the watcher's API: a Unix socket in its state folder, and a loopback port if asked."""

from __future__ import annotations

import ipaddress
import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import HTTPServer
from pathlib import Path
from typing import Any

from functrace.errors import FunctraceError, UsageError
from functrace.watch.control_api import Handler
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


class _Port6(_Port):
    address_family = socket.AF_INET6


class _UnixServer(_Bounded, socketserver.UnixStreamServer):
    pass


@contextmanager
def serving(watcher: Watcher, folder: Path, listen: str | None, token: str) -> Iterator[None]:
    """Serve the API in threads.

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
            stack.enter_context(_port(listen, port_handler))
        yield


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
def _port(listen: str, handler: type[Handler]) -> Iterator[None]:
    host, port = parse_loopback(listen, "--listen")
    kind = _Port6 if ":" in host else _Port
    try:
        server = kind((host, port), handler)
    except OSError as error:
        raise FunctraceError(f"--listen {listen}: {error.strerror}") from None
    with _running(server):
        yield


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


def parse_loopback(text: str, option: str) -> tuple[str, int]:
    """Return the host and the port of an address on the loopback interface.

    Raises:
        UsageError: it is none.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") if host != "localhost" else "127.0.0.1"
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"{option} {text}: not an address such as 127.0.0.1:7171")
    return host, int(port)


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
