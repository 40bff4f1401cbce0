"""Filters that select functions, with the same meaning in every language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from rewriter.import_path import strip_major_version
from rewriter.plan import Function


class HasFunction(Protocol):
    """Function with further details of its language."""

    @property
    def function(self) -> Function:
        """The function itself."""


F = TypeVar("F", bound=HasFunction)


@dataclass(frozen=True)
class Filters:
    """Filters of one run.

    Attributes:
        include: globs; if there are any, a function must match one.
        exclude: globs; a function must match none.
        min_lines: minimum number of lines of a function.
        exported_only: select only functions that other packages can call.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    min_lines: int = 0
    exported_only: bool = False


@dataclass(frozen=True)
class Location:
    """Location of a file, for globs to match.

    Attributes:
        path: path relative to the root of the run, with forward slashes.
        package: import path in Go, dotted module name in Python; ``""`` if unknown.
        printed_package: package name that a program prints before a function's name,
            if it differs from ``package``: ``main``.
    """

    path: str = ""
    package: str = ""
    printed_package: str = ""

    def list_names(self) -> tuple[str, ...]:
        """Return the names that a path glob can match: the file, its folders and packages."""
        folders = self.path.split("/")
        packages = [] if "/" in self.package else self.package.split(".")
        return (
            self.path,
            folders[-1],
            self.package,
            *("/".join(folders[:i]) for i in range(1, len(folders))),
            *(".".join(packages[:i]) for i in range(1, len(packages))),
        )

    def list_prefixes(self) -> set[str]:
        """Return the prefixes that a function's name can have, such as the package."""
        separator = "/" if "/" in self.package else "."
        unversioned = strip_major_version(self.package)
        lasts = {path.rpartition(separator)[2] for path in (self.package, unversioned)}
        return {self.package, unversioned, *lasts, self.printed_package} - {""}


@lru_cache(maxsize=256)
def compile_globs(globs: tuple[str, ...]) -> Callable[[str], object]:
    """Return a predicate that is true for a string that any of ``globs`` matches.

    ``*`` and ``...`` match any run of characters, ``?`` matches one. As in the
    runtime's ``FUNCTRACE_INCLUDE``, ``*`` crosses ``/`` and ``.``.
    """
    return re.compile("|".join(map(_translate, globs)), re.DOTALL).fullmatch


def _translate(glob: str) -> str:
    # As in the go command, a trailing /... also matches the folder itself.
    glob = glob.removeprefix("./").rstrip("/") or glob
    head, tail = (glob[:-4], "(?:/.*)?") if glob.endswith("/...") else (glob, "")
    wildcards = {"...": ".*", "*": ".*", "?": "."}
    pieces = re.split(r"(\.\.\.|[*?])", head)
    return "(?:" + "".join(wildcards.get(p) or re.escape(p) for p in pieces) + tail + ")"


def _list_spellings(location: Location, name: str) -> Iterable[str]:
    """Yield the names of a function that a glob can match.

    For ``(*T).Name`` in ``example.com/p``: that, ``T.Name``, ``Name``, and the first
    two with the package's path, its last element or its printed name before them.
    """
    if not name:
        return
    plain = name.replace("(*", "").replace("(", "").replace(")", "")
    yield from {name, plain, plain.rpartition(".")[2]}
    for prefix in location.list_prefixes():
        yield from (f"{prefix}.{n}" for n in (name, plain))


def get_file_skip_reason(filters: Filters, location: Location) -> str | None:
    """Return why the filters exclude the whole file, or None."""
    if filters.exclude and any(map(compile_globs(filters.exclude), location.list_names())):
        return "excluded by --exclude"
    return None


def find_matching_globs(
    filters: Filters, location: Location, functions: Iterable[Iterable[str]] = ()
) -> frozenset[str]:
    """Return the globs that match the file or one of its functions, given by their names."""
    globs = {*filters.include, *filters.exclude}
    names = set(location.list_names()) if globs else set()
    for function in functions if globs else ():
        names.update(s for name in function for s in _list_spellings(location, name))
    return frozenset(glob for glob in globs if any(map(compile_globs((glob,)), names)))


def make_filter(
    filters: Filters, location: Location, is_exported: Callable[[F], bool]
) -> Callable[[F, Iterable[str]], str | None]:
    """Return a function that returns why a function is filtered out, or None if it is selected.

    Its second argument lists further names that can match: those of enclosing functions and
    classes, since a glob that matches these selects everything in them.
    """
    include = compile_globs(filters.include) if filters.include else None
    if include and any(map(include, location.list_names())):
        include = None  # the whole file is selected
    exclude = compile_globs(filters.exclude) if filters.exclude else None

    def get_reason(found: F, other_names: Iterable[str]) -> str | None:
        if include or exclude:
            names = (found.function.name, *other_names)
            spellings = [s for name in names for s in _list_spellings(location, name)]
            if include and not any(map(include, spellings)):
                return "not in --include"
            if exclude and any(map(exclude, spellings)):
                return "excluded by --exclude"
        if found.function.line_count < filters.min_lines:
            return "shorter than --min-lines"
        if filters.exported_only and not is_exported(found):
            return "not exported"
        return None

    return get_reason
