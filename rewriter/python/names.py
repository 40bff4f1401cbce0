"""A name for the import that nothing else in the file bears.

It begins with one underscore, so that no class mangles it and no ``import *`` exports it.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

# What the runtime calls the decorator.
TRACE = "trace"
_OURS = re.compile(r"_functrace\d*_")
_MENTION = re.compile(rf"\b{_OURS.pattern}\b")


def is_ours(name: str | None) -> bool:
    """Whether inject may have chosen ``name``."""
    return name is not None and _OURS.fullmatch(name) is not None


def mentioned(text: bytes) -> frozenset[str]:
    """The names like ours that stand anywhere in the file, in strings and comments too."""
    if text.isascii() and b"_functrace" not in text:
        return frozenset()
    # Python takes identifiers in their NFKC form.
    # Bytes that are no UTF-8 may stand in comments.
    return frozenset(_MENTION.findall(unicodedata.normalize("NFKC", text.decode(errors="replace"))))


def free(taken: frozenset[str]) -> str:
    """The first of ``_functrace_``, ``_functrace1_``, ``_functrace2_`` … that is not taken."""
    candidates = itertools.chain(["_functrace_"], (f"_functrace{i}_" for i in itertools.count(1)))
    return next(name for name in candidates if name not in taken)
