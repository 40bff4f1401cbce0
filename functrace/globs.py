"""Globs of function names on command lines and in settings; docs/globs.md defines them."""

from __future__ import annotations

from functrace.errors import UsageError
from rewriter.globs import compile_globs, find_error, is_path, split_globs
from rewriter.import_path import strip_major_version

TYPE_CHECKING = False  # functrace run starts sooner without typing
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_NO_PART_OF_A_GLOB = frozenset(" ,\\!{}'\"`")


def short_name(name: str) -> str:
    """Return a function's name after the last ``/`` of its import path.

    A major version is removed: ``chi.(*Mux).ServeHTTP`` of ``github.com/go-chi/chi/v5``. A name
    with a space is that of a request, such as ``POST payments/pay``, which is not shortened.
    """
    if " " in name:
        return name
    return strip_major_version(name).rpartition("/")[2]


def glob_of(name: str) -> str:
    """Return a glob that matches the function with this name, full or short; never an option."""
    kept = (c if c.isprintable() and c not in _NO_PART_OF_A_GLOB else "?" for c in name)
    glob = "".join(kept).replace("[...]", "\0").replace("[", "?").replace("]", "?")
    glob = glob.replace("\0", "[...]")
    if glob.startswith("-"):
        glob = f"?{glob[1:]}"
    return "*" if find_error(glob) else glob


def as_operand(selector: str) -> tuple[str, ...]:
    """Return the words that pass a glob or the name of a request to a verb, after all options."""
    return ("--", selector) if selector.startswith("-") else (selector,)


def parse_globs(values: Iterable[str], option: str = "", path_option: str = "") -> tuple[str, ...]:
    """Return the globs in lists that commas or spaces separate.

    Args:
        values: the lists.
        option: the option that they were given to, for messages.
        path_option: the option that takes paths, if there is one.

    Raises:
        UsageError: a glob is invalid.
    """
    globs = tuple(glob for value in values for glob in split_globs(value))
    for glob in globs:
        error = find_error(glob)
        if error:
            advice = f"; use {path_option} {glob}" if path_option and is_path(glob) else ""
            raise UsageError(f"{option} {glob}: {error}{advice}".lstrip())
    return globs


def compile_list(values: Iterable[str], option: str = "") -> Callable[[str], bool]:
    """Return a predicate that is true for the full names of functions that a glob matches.

    Raises:
        UsageError: a glob is invalid.
    """
    return compile_globs(parse_globs(values, option))
