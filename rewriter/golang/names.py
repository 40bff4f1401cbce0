"""A name for the import that nothing else in the package or the file bears.

Names are read from Go's tokens, which miss none where the grammar lags. What
cannot be told without a grammar, a field called functrace, counts as taken.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from rewriter.errors import SourceError
from rewriter.golang.code import Code, read

BASE = "functrace"

_MENTION = re.compile(rb"\bfunctrace\d*\b")
_ERROR = b"error"
# A type's name stands behind what begins a specification and before what its type begins with.
_BEFORE_A_NAME = (b"type", b"(", b";", b"\n", b"*/")
_BEHIND_A_NAME = rb"\b[ \t\r]*[\w*\[(<=/\x80-\xff]"
_DECLARES_NAMES = frozenset((b"var", b"const", b"type"))


def package_level_names(source: bytes) -> frozenset[str]:
    """The names like ``functrace`` that this file declares for its whole package.

    And ``error``, if it does. In a file that is no Go every mention counts.
    """
    may_shadow = _may_declare(source, _ERROR)
    if BASE.encode() not in source and not may_shadow:
        return frozenset()
    try:
        declared = set(_package_level(read(source)))
    except SourceError:
        declared = {*_MENTION.findall(source), *((_ERROR,) if may_shadow else ())}
    return frozenset((*_likely(iter(declared)), *(n.decode() for n in declared & {_ERROR})))


def declares_type(source: bytes, name: bytes) -> bool:
    """Whether the file declares a type called ``name``, at package level or in a function."""
    return _may_declare(source, name) and name in _types(read(source))


def _may_declare(source: bytes, name: bytes) -> bool:
    """Whether a type's declaration may begin anywhere; tokens are slow to read."""
    for match in re.finditer(re.escape(name) + _BEHIND_A_NAME, source):
        before = source[max(0, match.start() - 100) : match.start()]
        if before.rstrip(b" \t\r").endswith(_BEFORE_A_NAME):
            return True
    return False


def _types(code: Code) -> Iterator[bytes]:
    for i, token in enumerate(code.tokens):
        if token.text == b"type" and code.text(i + 1) == b"(":
            for spec in code.statements(i + 2, code.partners[i + 1]):
                yield code.text(spec)
        elif token.text == b"type":
            yield code.text(i + 1)


def _package_level(code: Code) -> Iterator[bytes]:
    for i in code.statements():
        if code.text(i) == b"func" and code.text(i + 1) != b"(":
            yield code.text(i + 1)
        elif code.text(i) in _DECLARES_NAMES and code.text(i + 1) == b"(":
            for spec in code.statements(i + 2, code.partners[i + 1]):
                yield from _listed(code, spec)
        elif code.text(i) in _DECLARES_NAMES:
            yield from _listed(code, i + 1)


def _listed(code: Code, i: int) -> Iterator[bytes]:
    """The names before the type or the value of a specification."""
    yield code.text(i)
    while code.text(i + 1) == b",":
        i += 2
        yield code.text(i)


def given(source: bytes, runtime: frozenset[str]) -> frozenset[str]:
    """The names that the file gives to something: those like ``functrace``, and of ``runtime``.

    ``runtime`` are the aliases under which the file imports the runtime itself:
    where they stand before a selector they mean that import.
    """
    uses = {alias.encode() for alias in runtime}
    if not uses and BASE.encode() not in source:
        return frozenset()
    found = set(_given(read(source), uses))
    return frozenset((*_likely(iter(found)), *(alias.decode() for alias in uses & found)))


def _given(code: Code, uses: set[bytes]) -> Iterator[bytes]:
    """Every name but those behind a dot and the uses of the runtime."""
    for i, token in enumerate(code.tokens):
        if token.kind != "word" or (i and code.text(i - 1) == b"."):
            continue
        if token.text in uses and (code.text(i + 1) == b"." or _is_literal(code, i + 1)):
            continue  # a selector of the import, or the import itself: a name before its path
        yield token.text


def _is_literal(code: Code, i: int) -> bool:
    return i < len(code.tokens) and code.tokens[i].kind == "literal"


def _likely(texts: Iterator[bytes]) -> Iterator[str]:
    return (t.decode() for t in texts if _MENTION.fullmatch(t))


def free(names: frozenset[str]) -> str:
    """The first of ``functrace``, ``functrace1``, ``functrace2`` … that is not among ``names``."""
    candidates = itertools.chain([BASE], (f"{BASE}{i}" for i in itertools.count(1)))
    return next(name for name in candidates if name not in names)
