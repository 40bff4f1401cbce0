"""Names of request functions: method, host and the shape of the path."""

from __future__ import annotations

import re

from functrace.runtime import BUILTINS

globals()["__builtins__"] = BUILTINS

MAX_NAMES = 4096  # names in a process, others are "METHOD (other)"
OTHER = "(other)"

_MAX_SEGMENTS = 8
_MAX_SEGMENT_BYTES = 32
_MAX_NAME_BYTES = 200
_MAX_PATH_BYTES = 4096  # of a path that is looked at, or kept

_match_method = re.compile(r"[A-Z]{1,16}").fullmatch
_match_host = re.compile(r"[A-Za-z0-9._\-:\[\]]{1,100}").fullmatch
# Digits, a UUID, or hexadecimal digits with a decimal one among them.
_match_id = re.compile(
    r"[0-9]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}"
).fullmatch
_match_plain = re.compile(r"[!-$&-~]*").fullmatch  # printable ASCII without a percent sign


def method_name(method: str) -> str:
    """Return the method, or OTHER if it is none that a server would know."""
    return method if _match_method(method) else "OTHER"


def host_name(host: str) -> str:
    """Return a host without user and port; '?' if it is not a host's name or address."""
    host = host.rpartition("@")[2]
    if host.startswith("["):
        host = host.partition("]")[0] + "]"
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return host if _match_host(host) else "?"


def path_shape(target: str) -> str:
    """Return the path of a request's target, with {id} for what looks like an id."""
    path = _path(target)
    segments = path.split("/", _MAX_SEGMENTS + 1)
    if segments[0]:  # not a path: * or an authority
        return "/{id}" if segments[0] != "*" else "*"
    shaped = ["{id}" if _is_id(segment) else segment for segment in segments[: _MAX_SEGMENTS + 1]]
    if len(segments) > _MAX_SEGMENTS + 1:
        shaped.append("…")
    return "/".join(shaped) or "/"


def full_target(target: str) -> str:
    """Return path and query as they are, with what is not printable escaped."""
    shown = target[:_MAX_PATH_BYTES].partition("#")[0]
    return "".join(c if "!" <= c <= "~" else f"\\x{ord(c):02x}" for c in shown[:_MAX_NAME_BYTES])


def request_name(method: str, host: str, path: str) -> str:
    """Return the name of a request function; ``host`` is empty for inbound calls."""
    name = f"{method} {host}{path}"
    if len(name) > _MAX_NAME_BYTES or not name.isascii():
        name = name.encode()[:_MAX_NAME_BYTES].decode("utf-8", "ignore")
    return name


def _path(target: str) -> str:
    """Return the path of a target, which may be a URL."""
    target = target[:_MAX_PATH_BYTES]
    for end in "?#":
        target = target.partition(end)[0]
    if not target.startswith("/") and "://" in target:
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target


def _is_id(segment: str) -> bool:
    return (
        len(segment) > _MAX_SEGMENT_BYTES
        or _match_plain(segment) is None
        or _match_id(segment) is not None
    )
