"""Import alias for the runtime that conflicts with no name in a Go file.

Names are read from Go's tokens, since the grammar misses some in newer syntax. A name
that only a grammar could classify, such as a field called functrace, counts as used.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from rewriter.errors import SourceError
from rewriter.golang.token_stream import TokenStream, read_tokens

BASE = "functrace"

_ALIAS = re.compile(rb"\bfunctrace\d*\b")
_ERROR = b"error"
# What can precede the name in a type declaration, and what can follow it.
_BEFORE_TYPE_NAME = (b"type", b"(", b";", b"\n", b"*/")
_AFTER_TYPE_NAME = rb"\b[ \t\r]*[\w*\[(<=/\x80-\xff]"
_DECLARING_KEYWORDS = frozenset((b"var", b"const", b"type"))


def find_package_level_names(source: bytes) -> frozenset[str]:
    """Return the names that this file declares at package level: like ``functrace``, or ``error``.

    In a file that is not valid Go every mention counts.
    """
    has_error = _may_declare_type(source, _ERROR)
    if BASE.encode() not in source and not has_error:
        return frozenset()
    try:
        declared = set(_find_package_level(read_tokens(source)))
    except SourceError:
        declared = {*_ALIAS.findall(source), *((_ERROR,) if has_error else ())}
    return _select_aliases(declared) | {n.decode() for n in declared & {_ERROR}}


def declares_type(source: bytes, name: bytes) -> bool:
    """Return whether the file declares a type ``name``, at package level or in a function."""
    return _may_declare_type(source, name) and name in _find_types(read_tokens(source))


def _may_declare_type(source: bytes, name: bytes) -> bool:
    """Return whether a declaration of a type ``name`` is possible, without a slow tokenization."""
    for match in re.finditer(re.escape(name) + _AFTER_TYPE_NAME, source):
        before = source[max(0, match.start() - 100) : match.start()]
        if before.rstrip(b" \t\r").endswith(_BEFORE_TYPE_NAME):
            return True
    return False


def _find_types(stream: TokenStream) -> Iterator[bytes]:
    for i, token in enumerate(stream.tokens):
        if token.text == b"type" and stream.text(i + 1) == b"(":
            for spec in stream.statements(i + 2, stream.partners[i + 1]):
                yield stream.text(spec)
        elif token.text == b"type":
            yield stream.text(i + 1)


def _find_package_level(stream: TokenStream) -> Iterator[bytes]:
    for i in stream.statements():
        if stream.text(i) == b"func" and stream.text(i + 1) != b"(":
            yield stream.text(i + 1)
        elif stream.text(i) in _DECLARING_KEYWORDS and stream.text(i + 1) == b"(":
            for spec in stream.statements(i + 2, stream.partners[i + 1]):
                yield from _read_name_list(stream, spec)
        elif stream.text(i) in _DECLARING_KEYWORDS:
            yield from _read_name_list(stream, i + 1)


def _read_name_list(stream: TokenStream, i: int) -> Iterator[bytes]:
    """Yield the names before the type or value of a var, const or type specification."""
    yield stream.text(i)
    while stream.text(i + 1) == b",":
        i += 2
        yield stream.text(i)


def find_used_names(source: bytes, runtime_aliases: frozenset[str]) -> frozenset[str]:
    """Return the names like ``functrace``, and of ``runtime_aliases``, that the file uses.

    ``runtime_aliases`` are the names under which the file imports the runtime: before
    a selector they refer to that import and do not count.
    """
    aliases = {alias.encode() for alias in runtime_aliases}
    if not aliases and BASE.encode() not in source:
        return frozenset()
    found = set(_find_names(read_tokens(source), aliases))
    return _select_aliases(found) | {alias.decode() for alias in aliases & found}


def _find_names(stream: TokenStream, aliases: set[bytes]) -> Iterator[bytes]:
    """Yield every name except those after a dot and the uses of the runtime."""
    for i, token in enumerate(stream.tokens):
        if token.kind != "word" or (i and stream.text(i - 1) == b"."):
            continue
        if token.text in aliases and (stream.text(i + 1) == b"." or _is_literal(stream, i + 1)):
            continue  # a selector of the import, or the import itself: a name before its path
        yield token.text


def _is_literal(stream: TokenStream, i: int) -> bool:
    return i < len(stream.tokens) and stream.tokens[i].kind == "literal"


def _select_aliases(names: Iterable[bytes]) -> frozenset[str]:
    return frozenset(n.decode() for n in names if _ALIAS.fullmatch(n))


def choose_alias(used: frozenset[str]) -> str:
    """Return the first of ``functrace``, ``functrace1``, ``functrace2`` … that is not ``used``."""
    candidates = itertools.chain([BASE], (f"{BASE}{i}" for i in itertools.count(1)))
    return next(name for name in candidates if name not in used)
