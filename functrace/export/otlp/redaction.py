"""Redaction of passwords and tokens in messages about a collector."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

_MASK = "***"
_WORD = re.compile(r"""[^\s"'<>]+""")
# A long URL segment that mixes letters with digits is more often a token than a name.
_SEGMENT = re.compile(r"[A-Za-z0-9_.%=~-]{20,}")
_SHORTEST = 4  # minimum length of a redacted header value; shorter ones are numbers or flags
_HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return ``text`` without the credentials that it contains.

    Masked are user names, passwords, queries and tokens in URLs, and the values of the headers that
    the OTEL_EXPORTER_OTLP variables of ``environment`` set.
    """
    for secret in _header_values(environment):
        text = text.replace(secret, _MASK)
    return _WORD.sub(lambda match: _redact_word(match[0]), text)


def _header_values(environment: Mapping[str, str]) -> Iterator[str]:
    for name in _HEADERS:
        for header in environment.get(name, "").split(","):
            value = header.partition("=")[2].strip()
            for form in (value, unquote(value)):
                if len(form) >= _SHORTEST:
                    yield form


def _redact_word(word: str) -> str:
    address, question, query = word.partition("?")
    if address and "=" in query:
        word = address + question + _MASK + ":" * query.endswith(":")
    scheme = word[: word.index("://") + 3] if "://" in word else ""
    rest = word[len(scheme) :]
    user, at, host = rest.rpartition("@")
    if at and (scheme or ":" in user.partition("/")[0]):
        rest = f"{_MASK}@{host}"
    if scheme:
        rest = "/".join(map(_redact_segment, rest.split("/")))
    return scheme + rest


def _redact_segment(segment: str) -> str:
    name = segment.removesuffix(":")
    has_both = any(map(str.isdigit, name)) and any(map(str.isalpha, name))
    return _MASK + segment[len(name) :] if has_both and _SEGMENT.fullmatch(name) else segment
