"""Import alias for the runtime that conflicts with no name in a Python file.

It begins with one underscore, so that no class mangles it and no ``import *`` exports it.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

# The runtime's decorator.
TRACE = "trace"
_ALIAS = re.compile(r"_functrace\d*_")
_MENTION = re.compile(rf"\b{_ALIAS.pattern}\b")


def is_alias(name: str | None) -> bool:
    """Return whether inject may have chosen ``name``."""
    return name is not None and _ALIAS.fullmatch(name) is not None


def find_mentions(text: bytes) -> frozenset[str]:
    """Return the possible aliases that the file mentions, also in strings and comments."""
    if text.isascii() and b"_functrace" not in text:
        return frozenset()
    # Python normalizes identifiers to NFKC. Comments may contain bytes that are not UTF-8.
    return frozenset(_MENTION.findall(unicodedata.normalize("NFKC", text.decode(errors="replace"))))


def choose_alias(used: frozenset[str]) -> str:
    """Return the first of ``_functrace_``, ``_functrace1_``, … that is not ``used``."""
    candidates = itertools.chain(["_functrace_"], (f"_functrace{i}_" for i in itertools.count(1)))
    return next(name for name in candidates if name not in used)
