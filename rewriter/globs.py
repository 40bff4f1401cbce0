"""Globs of function names; docs/globs.md defines them.

functrace/runtime/globs.py, runtime_go/glob.go and runtime_go/otlp/internal/spans/names.go
implement them as well. tests/vectors_of_globs.json holds for all four.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from rewriter.import_path import strip_major_version

_MEANINGLESS = frozenset("\\!{}'\"`")
_PATH_ENDS = ("/", ".go", ".py")
_RECEIVER = re.compile(r"\([^()]*\)")
_DECORATION = re.compile(r"\(\*|[()]|\.<locals>")
_WILDCARDS = {"*": ".*", "?": "."}


def split_globs(text: str) -> list[str]:
    """Return the globs of a list that commas or spaces separate."""
    return text.replace(",", " ").split()


def is_path(glob: str) -> bool:
    """Return whether ``glob`` is written like the path of a file, folder or package."""
    plain = glob.replace("[...]", "")
    return "..." in plain or plain.startswith("./") or plain.endswith(_PATH_ENDS)


def find_error(glob: str) -> str | None:
    """Return why ``glob`` is not a glob of function names, or None if it is one."""
    if is_path(glob):
        return "this is a path, not the name of a function"
    plain = glob.replace("[...]", "")
    meaningless = sorted(_MEANINGLESS.intersection(plain))
    if meaningless:
        return f"{meaningless[0]} has no meaning in a glob; only * and ? have"
    if "[" in plain or "]" in plain:
        return "leave out type arguments or write them as [...]"
    if {"(", ")"}.intersection(_RECEIVER.sub("", plain)):
        return "parentheses must enclose a receiver, as in (*Store).Get"
    return None if simplify_glob(plain) else "it names no function"


@lru_cache(maxsize=256)
def compile_globs(globs: tuple[str, ...]) -> Callable[[str], bool]:
    """Return a predicate that is true for the full name of a function that any glob matches.

    The globs must be valid; see :func:`find_error`.
    """
    pattern = re.compile("|".join(map(_translate, globs)) or "(?!)", re.DOTALL)
    return lambda name: any(map(pattern.fullmatch, list_spellings(name)))


def list_spellings(name: str) -> Sequence[str]:
    """Return the names that a glob may match, given the full name of a function.

    These are the full name without decoration, what follows a ``/`` or a ``.`` after the last
    ``/``, and the first with the last element of the part after the last ``/``; all with and
    without the major version of the module and the number of an ``init`` function in Go.
    """
    spellings: dict[str, None] = {}
    unnumbered = _strip_init_number(name)
    forms = (name, unnumbered, strip_major_version(name), strip_major_version(unnumbered))
    for form in dict.fromkeys(forms):
        plain = _DECORATION.sub("", form.replace("[...]", "").replace("%2e", "."))
        folders = plain.split("/")
        elements = folders.pop().split(".")
        for at in range(len(folders) + 1):
            spellings["/".join((*folders[at:], ".".join(elements)))] = None
        for at in range(1, len(elements)):
            spellings[".".join(elements[at:])] = None
        spellings[".".join((*elements[:-1][:1], elements[-1]))] = None
    return list(spellings)


def _strip_init_number(name: str) -> str:
    """Return ``main.init`` for ``main.init.0``."""
    before, _, rest = name.partition(".init.")
    number, dot, after = rest.partition(".")
    return f"{before}.init{dot}{after}" if number.isascii() and number.isdigit() else name


def _translate(glob: str) -> str:
    plain = simplify_glob(glob.replace("[...]", ""))
    return "(?:" + "".join(_WILDCARDS.get(c) or re.escape(c) for c in plain) + ")"


def simplify_glob(glob: str) -> str:
    """Return a glob without what is removed from names."""
    return _DECORATION.sub("", glob.replace("%2e", ".").replace("(*)", "*"))
