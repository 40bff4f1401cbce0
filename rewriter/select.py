"""Which functions are asked for: the filters that mean the same in every language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from rewriter.importpath import without_version
from rewriter.plan import Function


class Found(Protocol):
    """A function with what a language knows of it besides."""

    @property
    def function(self) -> Function:
        """The function itself."""


F = TypeVar("F", bound=Found)


@dataclass(frozen=True)
class Selection:
    """The filters of one run.

    Attributes:
        include: globs; a function is taken if one matches, or if there are none.
        exclude: globs; a function that one matches is not taken.
        min_lines: functions that span fewer lines are not taken.
        exported_only: take only what other packages can call.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    min_lines: int = 0
    exported_only: bool = False


@dataclass(frozen=True)
class Place:
    """Where a file stands, for globs to match.

    Attributes:
        path: the file, relative to the root of the run, with forward slashes.
        package: the import path, or in Python the module's dotted name; ``""`` where
            there is none.
        printed: what stands before a function's name where a program prints it,
            if that is not the import path: ``main``.
    """

    path: str = ""
    package: str = ""
    printed: str = ""

    def names(self) -> tuple[str, ...]:
        """The file, every folder above it and its packages: what a path glob may match."""
        folders = self.path.split("/")
        packages = [] if "/" in self.package else self.package.split(".")
        return (
            self.path,
            folders[-1],
            self.package,
            *("/".join(folders[:i]) for i in range(1, len(folders))),
            *(".".join(packages[:i]) for i in range(1, len(packages))),
        )

    def prefixes(self) -> set[str]:
        """What may stand before a function's name: the package, the last element of it."""
        separator = "/" if "/" in self.package else "."
        unversioned = without_version(self.package)
        lasts = {path.rpartition(separator)[2] for path in (self.package, unversioned)}
        return {self.package, unversioned, *lasts, self.printed} - {""}


@lru_cache(maxsize=256)
def matcher(globs: tuple[str, ...]) -> Callable[[str], object]:
    """One predicate for several globs: ``*`` and ``...`` are any run of characters, ``?`` is one.

    As in the runtime's ``FUNCTRACE_INCLUDE``, ``*`` crosses ``/`` and ``.``.
    """
    return re.compile("|".join(_regex(glob) for glob in globs), re.DOTALL).fullmatch


def _regex(glob: str) -> str:
    # As in the go command, a trailing /... also names the folder itself.
    glob = glob.removeprefix("./").rstrip("/") or glob
    head, tail = (glob[:-4], "(?:/.*)?") if glob.endswith("/...") else (glob, "")
    words = {"...": ".*", "*": ".*", "?": "."}
    pieces = re.split(r"(\.\.\.|[*?])", head)
    return "(?:" + "".join(words.get(p) or re.escape(p) for p in pieces) + tail + ")"


def spellings(place: Place, name: str) -> Iterable[str]:
    """The names by which a filter may call a function.

    For ``(*T).Name`` in ``example.com/p``: that, ``T.Name``, ``Name``, and with
    the package's path or last element before it, or what the program prints.
    """
    if not name:
        return
    plain = name.replace("(*", "").replace("(", "").replace(")", "")
    short = {name, plain, plain.rpartition(".")[2]}
    yield from short
    for prefix in place.prefixes():
        yield from (f"{prefix}.{n}" for n in (name, plain))


def file_reason(selection: Selection, place: Place) -> str | None:
    """Why no function of the file can be taken, or None."""
    if selection.exclude and any(map(matcher(selection.exclude), place.names())):
        return "excluded by --exclude"
    return None


def matched(
    selection: Selection, place: Place, functions: Iterable[Iterable[str]] = ()
) -> frozenset[str]:
    """Return the globs that match the file, or one of its functions by one of its names."""
    globs = {*selection.include, *selection.exclude}
    names = set(place.names()) if globs else set()
    for function in functions if globs else ():
        names.update(spelt for name in function for spelt in spellings(place, name))
    return frozenset(glob for glob in globs if any(map(matcher((glob,)), names)))


def chooser(
    selection: Selection, place: Place, exported: Callable[[F], bool]
) -> Callable[[F, Iterable[str]], str | None]:
    """A function that says why one is not taken, or None where it is.

    Its second argument are the names of what is around a nested one, and others that it
    has: a glob that names a function or class names what is in it, too.
    """
    include = matcher(selection.include) if selection.include else None
    if include and any(map(include, place.names())):
        include = None  # the whole file is asked for
    exclude = matcher(selection.exclude) if selection.exclude else None

    def reason(found: F, others: Iterable[str]) -> str | None:
        if include or exclude:
            names = [n for name in (found.function.name, *others) for n in spellings(place, name)]
            if include and not any(map(include, names)):
                return "not in --include"
            if exclude and any(map(exclude, names)):
                return "excluded by --exclude"
        if found.function.lines < selection.min_lines:
            return "shorter than --min-lines"
        if selection.exported_only and not exported(found):
            return "not exported"
        return None

    return reason
