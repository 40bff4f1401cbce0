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
_SHORTEST_ANYWHERE = 8  # shorter ones are redacted only as whole words
# Header values that are no secrets: they are in messages without the header, too.
_ORDINARY = frozenset(
    "basic bearer default development false grpc gzip http https json none null otlp prod"
    " production protobuf staging test true".split()
)
_HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return ``text`` without the credentials that it contains.

    Masked are user names, passwords, queries and tokens in URLs, and the values of the headers that
    the OTEL_EXPORTER_OTLP variables of ``environment`` set, also their words alone. Ordinary words
    such as ``true`` are not.
    """
    for secret in _secrets(environment):
        text = _mask(text, secret)
    return _WORD.sub(lambda match: _redact_word(match[0]), text)


def _secrets(environment: Mapping[str, str]) -> Iterator[str]:
    for name in _HEADERS:
        for header in environment.get(name, "").split(","):
            value = header.partition("=")[2].strip(" \t")
            for form in (value, unquote(value)):
                words = form.split(" ")
                yield from filter(_is_secret, [form, *words] if len(words) > 1 else words)


def _is_secret(value: str) -> bool:
    return len(value) >= _SHORTEST and value.lower() not in _ORDINARY


def _mask(text: str, secret: str) -> str:
    if len(secret) >= _SHORTEST_ANYWHERE:
        return text.replace(secret, _MASK)
    before = "(?<![0-9A-Za-z])" if _is_alphanumeric(secret[0]) else ""
    after = "(?![0-9A-Za-z])" if _is_alphanumeric(secret[-1]) else ""
    return re.sub(before + re.escape(secret) + after, _MASK, text)


def _is_alphanumeric(character: str) -> bool:
    return character.isascii() and character.isalnum()


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
