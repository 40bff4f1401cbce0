"""HTTP server of the OpenMetrics endpoint, on loopback."""

from __future__ import annotations

import ipaddress
import socketserver
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from functrace.errors import FunctraceError, UsageError
from functrace.watch.metrics import Metrics

_Respond = Callable[..., Any]
_TIMEOUT_S = 10  # for a client to send its request


class MetricsServer:
    """The endpoint, until it is closed.

    Attributes:
        url: its address.
    """

    def __init__(self, listen: str, metrics: Metrics) -> None:
        """Start serving.

        Args:
            listen: loopback address and port, such as ``127.0.0.1:9464``; port 0 chooses one.
            metrics: what to serve.

        Raises:
            UsageError: the address is invalid or not a loopback address.
            FunctraceError: the port cannot be used.
        """
        host, port = parse_loopback(listen)
        try:
            self._server = make_server(
                host, port, _application(metrics), server_class=_Server, handler_class=_Handler
            )
        except OSError as error:
            raise FunctraceError(f"metrics on {listen}: {error.strerror}") from None
        self.url = f"http://{host}:{self._server.server_port}/metrics"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = _TIMEOUT_S

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def parse_loopback(listen: str) -> tuple[str, int]:
    """Return host and port of a loopback address.

    Raises:
        UsageError: it is invalid or not a loopback address.
    """
    try:
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname or "", parts.port
        address = "127.0.0.1" if host == "localhost" else host
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback, address, port = False, "", None
    if port is None or not is_loopback or ":" in address:
        raise UsageError(f"{listen} is not a loopback address such as 127.0.0.1:9464")
    return address, port


def _application(metrics: Metrics) -> Callable[[dict[str, Any], _Respond], Iterable[bytes]]:
    from prometheus_client import CollectorRegistry, make_wsgi_app

    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    serve = make_wsgi_app(registry)

    def application(environment: dict[str, Any], respond: _Respond) -> Iterable[bytes]:
        if not _is_local(environment.get("HTTP_HOST", "")):  # a web page with a rebound name
            respond("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"the Host header must be a loopback address\n"]
        pages: Iterable[bytes] = serve(environment, respond)
        return pages

    return application


def _is_local(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
