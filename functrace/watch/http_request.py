"""HTTP requests with a limit on time and size."""

from __future__ import annotations

import http.client
import ipaddress
import threading
import time
from collections.abc import Mapping
from urllib import error, request
from urllib.parse import urlsplit

import functrace
from functrace.errors import FunctraceError

_BLOCK = 1 << 16
_HEADERS = {"User-Agent": f"functrace/{functrace.__version__}"}


class _NoRedirects(request.HTTPRedirectHandler):
    """A redirect is an error: what follows it is not what was configured."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = request.build_opener(_NoRedirects)
_DIRECT_OPENER = request.build_opener(_NoRedirects, request.ProxyHandler({}))


def send(
    url: str,
    *,
    timeout_s: float,
    max_bytes: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return the response to a GET request, or to a POST request with a body.

    Raises:
        FunctraceError: there is no response of status 2xx within the limits; the message does not
            contain the URL, which may contain a secret.
    """
    if not url.startswith(("http://", "https://")):
        raise FunctraceError("the URL does not begin with http:// or https://")
    outcome: list[bytes | str] = []  # the response, or why there is none

    def exchange() -> None:
        try:
            asked = request.Request(url, body, {**_HEADERS, **(headers or {})})
            outcome.append(_exchange(asked, timeout_s, max_bytes))
        except (FunctraceError, ValueError) as failure:  # ValueError: an invalid URL or header
            outcome.append(str(failure))

    # The timeout of a socket is that of each read, which a server can stretch.
    thread = threading.Thread(target=exchange, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not outcome:
        raise FunctraceError(f"no complete response within {timeout_s:g} s")
    if isinstance(outcome[0], str):
        raise FunctraceError(outcome[0])
    return outcome[0]


def _exchange(asked: request.Request, timeout_s: float, max_bytes: int) -> bytes:
    deadline = time.monotonic() + timeout_s
    opener = _DIRECT_OPENER if _is_local(asked.full_url) else _OPENER
    try:
        with opener.open(asked, timeout=timeout_s) as response:
            return _read(response, deadline, timeout_s, max_bytes)
    except error.HTTPError as failure:
        failure.close()
        raise FunctraceError(f"status {failure.code} {failure.reason}".strip()) from None
    except error.URLError as failure:
        raise FunctraceError(_reason(failure.reason)) from None
    except (OSError, ValueError, http.client.HTTPException) as failure:
        raise FunctraceError(_reason(failure)) from None


def _read(
    response: http.client.HTTPResponse, deadline: float, timeout_s: float, max_bytes: int
) -> bytes:
    content = bytearray()
    while block := response.read1(_BLOCK):
        content += block
        if len(content) > max_bytes:
            raise FunctraceError(f"the response is larger than {max_bytes:,} bytes")
        if time.monotonic() > deadline:
            raise FunctraceError(f"no complete response within {timeout_s:g} s")
    return bytes(content)


def _is_local(url: str) -> bool:
    """Return whether a URL is one of this machine, for which a proxy is never right."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(failure: object) -> str:
    return str(getattr(failure, "strerror", None) or failure or type(failure).__name__)
