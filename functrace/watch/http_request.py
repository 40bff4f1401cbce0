"""HTTP requests with a limit on time and size."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from urllib import error, request

import functrace
from functrace.errors import FunctraceError

_BLOCK = 1 << 16
_HEADERS = {"User-Agent": f"functrace/{functrace.__version__}"}


class _NoRedirects(request.HTTPRedirectHandler):
    """A redirect is an error: what follows it is not what was configured."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = request.build_opener(_NoRedirects)


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
    deadline = time.monotonic() + timeout_s
    try:
        asked = request.Request(url, body, {**_HEADERS, **(headers or {})})
        with _OPENER.open(asked, timeout=timeout_s) as response:
            return _read(response, deadline, timeout_s, max_bytes)
    except error.HTTPError as failure:
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


def _reason(failure: object) -> str:
    return str(getattr(failure, "strerror", None) or failure or type(failure).__name__)
