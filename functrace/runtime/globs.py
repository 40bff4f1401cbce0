"""Globs of function names in FUNCTRACE_INCLUDE and FUNCTRACE_EXCLUDE; see docs/globs.md.

It is loaded only if one of these is set, and loads no other module. The names are Python's, so
import paths and their versions are not handled.
"""

from __future__ import annotations

from functrace.runtime import BUILTINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

globals()["__builtins__"] = BUILTINS

_MEANINGLESS = "\\!{}'\"`"


class Globs:
    """List of globs.

    Args:
        text: the globs, separated by commas or spaces.

    Raises:
        ValueError: one of them is invalid.
    """

    def __init__(self, text: str) -> None:
        self._globs = tuple(map(_parse, text.replace(",", " ").split()))

    def match(self, name: str) -> bool:
        """Return whether any of them matches the full name of a function."""
        spellings = tuple(_list_spellings(name))
        return any(_matches(glob, spelling) for glob in self._globs for spelling in spellings)


def _parse(text: str) -> str:
    """Return a glob without what is removed from names."""
    glob = text.replace("[...]", "")
    invalid = "..." in glob or glob.startswith("./") or glob.endswith(("/", ".go", ".py"))
    invalid = invalid or any(c in glob for c in _MEANINGLESS + "[]") or not _is_balanced(glob)
    glob = _remove_decoration(glob.replace("%2e", ".").replace("(*)", "*"))
    if invalid or not glob:
        raise ValueError(f"invalid glob: {text}")
    return glob


def _is_balanced(glob: str) -> bool:
    """Return whether all parentheses come in pairs that are not nested."""
    is_open = False
    for character in glob:
        if character in "()":
            if is_open == (character == "("):
                return False
            is_open = not is_open
    return not is_open


def _remove_decoration(text: str) -> str:
    for decoration in ("(*", "(", ")", ".<locals>"):
        text = text.replace(decoration, "")
    return text


def _list_spellings(name: str) -> Iterator[str]:
    plain = _remove_decoration(name)
    elements = plain.split(".")
    yield plain
    for at in range(1, len(elements)):
        yield ".".join(elements[at:])
    if len(elements) > 1:
        yield f"{elements[0]}.{elements[-1]}"


def _matches(glob: str, name: str) -> bool:
    """Return whether ``glob`` matches all of ``name``."""
    star, retry = -1, 0
    g, n = 0, 0
    while n < len(name):
        if g < len(glob) and glob[g] == "*":
            star, retry = g, n
            g += 1
        elif g < len(glob) and glob[g] in ("?", name[n]):
            g += 1
            n += 1
        elif star >= 0:
            # Let the last star match one more character.
            retry += 1
            g, n = star + 1, retry
        else:
            return False
    return not glob[g:].strip("*")
