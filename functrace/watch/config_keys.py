"""Keys of the configuration file: how a value is read, its default value and its meaning."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any
from urllib.parse import urlsplit

from functrace import units
from functrace.errors import UsageError
from functrace.globs import parse_globs
from functrace.rollup.windows import parse_width_ns

Reader = Callable[[Any], Any]
"""Returns the value of a key, or raises ValueError with what is wrong with it."""

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)")
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def key(name: str, read: Reader, default: Any, text: str) -> Any:
    """Return the dataclass field of a key.

    Args:
        name: the key as the file spells it.
        read: returns its value.
        default: the default value as the file spells it; None for no value.
        text: its meaning, for the documentation.
    """
    about = {"key": name, "read": read, "default": default, "text": text}
    if isinstance(default, dict | list):
        return field(default_factory=lambda: read(default), metadata=about)
    return field(default=None if default is None else read(default), metadata=about)


def flag(value: Any) -> bool:
    """Read ``true`` or ``false``."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def text(value: Any) -> str:
    """Read a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError('must be a string such as "shop"')
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Read a list of strings."""
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise ValueError('must be a list of strings such as ["shop"]')
    return tuple(value)


def globs(value: Any) -> tuple[str, ...]:
    """Read a list of globs of function names."""
    try:
        return parse_globs(texts(value))
    except UsageError as error:
        raise ValueError(str(error)) from None


def mapping(value: Any) -> dict[str, str]:
    """Read a table of strings."""
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError('must be a table of strings such as { team = "pay" }')
    return dict(value)


def count(value: Any) -> int:
    """Read a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("must be a whole number of at least 1")
    return value


def number(value: Any) -> float:
    """Read a number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e18:
        raise ValueError("must be a number of at least 0")
    return float(value)


def duration_s(value: Any) -> float:
    """Read a duration such as ``"500ms"``, ``"30s"``, ``"5m"`` or ``"1h"``."""
    try:
        found = units.parse_duration(value) if isinstance(value, str) else None
    except UsageError:
        found = None
    if found is None:
        raise ValueError('must be a duration such as "500ms", "30s", "5m" or "1h"')
    return found / 1e9


def window_ns(value: Any) -> int:
    """Read the length of a window such as ``"1m"``."""
    try:
        found = parse_width_ns(value) if isinstance(value, str) else None
    except UsageError:
        found = None
    if found is None:
        raise ValueError('must be whole seconds, of which an hour is a multiple, such as "1m"')
    return found


def percentage(value: Any) -> float:
    """Read a percentage such as ``"80%"``; it may be above 100 %."""
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must be a percentage such as "80%"')
    return float(match[1]) / 100


def share(value: Any) -> float:
    """Read a percentage of at most 100 %."""
    found = percentage(value)
    if found > 1:
        raise ValueError("must be at most 100%")
    return found


def size_bytes(value: Any) -> int:
    """Read a size such as ``"64MB"``."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must be a size such as "64MB" or "2GB"')
    return round(float(match[1]) * _BYTES[match[2]])


def http_url(value: Any) -> str:
    """Read an address that begins with http or https."""
    try:
        parts = urlsplit(text(value))
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError('must be an address such as "http://127.0.0.1:6060"')
    return str(value)


def one_of(*names: str) -> Reader:
    """Return a reader of one of several strings."""

    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return str(value)

    return read
