"""Filters that select functions, with the same meaning in every language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from rewriter.globs import compile_globs
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
        include: globs of function names; if there are any, a function must match one.
        exclude: globs of function names; a function must match none.
        include_path: path globs; if there are any, a file must match one.
        exclude_path: path globs; a file must match none.
        min_lines: minimum number of lines of a function.
        exported_only: select only functions that other packages can call.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    include_path: tuple[str, ...] = ()
    exclude_path: tuple[str, ...] = ()
    min_lines: int = 0
    exported_only: bool = False

    @property
    def has_includes(self) -> bool:
        """Whether only functions that match are selected."""
        return bool(self.include or self.include_path)


@dataclass(frozen=True)
class Location:
    """Location of a file, for globs to match.

    Attributes:
        path: path relative to the root of the run, with forward slashes.
        package: import path in Go, dotted module name in Python; ``""`` if unknown.
        symbol_packages: the packages that precede the names of its functions in the program,
            if they differ from ``package``: ``main``.
    """

    path: str = ""
    package: str = ""
    symbol_packages: tuple[str, ...] = ()

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

    def list_full_names(self, name: str) -> list[str]:
        """Return the full names that a function can have in the program."""
        packages = map(_escape_dots, self.symbol_packages or (self.package,))
        return [f"{package}.{name}" if package else name for package in packages]


def _escape_dots(import_path: str) -> str:
    """Escape dots in the last element of an import path, as Go does in symbols."""
    folder, slash, last = import_path.rpartition("/")
    return f"{folder}/{last.replace('.', '%2e')}" if slash else import_path


@lru_cache(maxsize=256)
def compile_path_globs(globs: tuple[str, ...]) -> Callable[[str], object]:
    """Return a predicate that is true for a path or package that any of ``globs`` matches.

    ``*`` and ``...`` match any run of characters, ``?`` matches one. All cross ``/`` and ``.``.
    """
    return re.compile("|".join(map(_translate, globs)), re.DOTALL).fullmatch


def _translate(glob: str) -> str:
    # As in the go command, a trailing /... also matches the folder itself.
    glob = glob.removeprefix("./").rstrip("/") or glob
    head, tail = (glob[:-4], "(?:/.*)?") if glob.endswith("/...") else (glob, "")
    wildcards = {"...": ".*", "*": ".*", "?": "."}
    pieces = re.split(r"(\.\.\.|[*?])", head)
    return "(?:" + "".join(wildcards.get(p) or re.escape(p) for p in pieces) + tail + ")"


def get_file_skip_reason(filters: Filters, location: Location) -> str | None:
    """Return why the filters exclude the whole file, or None."""
    include, exclude = filters.include_path, filters.exclude_path
    names = location.list_names() if include or exclude else ()
    if include and not any(map(compile_path_globs(include), names)):
        return "not in --include-path"
    if exclude and any(map(compile_path_globs(exclude), names)):
        return "excluded by --exclude-path"
    return None


def find_matching_globs(
    filters: Filters, location: Location, functions: Iterable[str] = ()
) -> frozenset[str]:
    """Return the options, as ``--include GLOB``, that match the file or a function in it."""
    full_names = [full for name in functions for full in location.list_full_names(name)]
    kinds = (
        ("--include", filters.include, compile_globs, full_names),
        ("--exclude", filters.exclude, compile_globs, full_names),
        ("--include-path", filters.include_path, compile_path_globs, location.list_names()),
        ("--exclude-path", filters.exclude_path, compile_path_globs, location.list_names()),
    )
    return frozenset(
        f"{option} {glob}"
        for option, globs, compile_these, names in kinds
        for glob in globs
        if any(map(compile_these((glob,)), names))
    )


def make_filter(
    filters: Filters, location: Location, is_exported: Callable[[F], bool]
) -> Callable[[F], str | None]:
    """Return a function that returns why a function is filtered out, or None if it is selected."""
    include = compile_globs(filters.include) if filters.include else None
    exclude = compile_globs(filters.exclude) if filters.exclude else None

    def get_reason(found: F) -> str | None:
        if include or exclude:
            names = location.list_full_names(found.function.name)
            if include and not any(map(include, names)):
                return "not in --include"
            if exclude and any(map(exclude, names)):
                return "excluded by --exclude"
        if found.function.line_count < filters.min_lines:
            return "shorter than --min-lines"
        if filters.exported_only and not is_exported(found):
            return "not exported"
        return None

    return get_reason
