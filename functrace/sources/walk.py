"""The folders of a source tree, and which of their files are to be rewritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.sources.write import is_leftover

# Where an output tree keeps what is known of it.
STATE = ".functrace"
# No part of a source tree: version control's own data, which can be larger than it, and
# what Python compiled from other sources than those that an output tree gets.
_NO_SOURCES = frozenset((".git", ".hg", ".svn", ".bzr", ".jj", "__pycache__", STATE))


@dataclass(frozen=True)
class Kind:
    """The source files of one language.

    Attributes:
        suffixes: what their names end with.
        reason: why a folder, and all below it, is left alone; None if it is not.
    """

    suffixes: tuple[str, ...]
    reason: Callable[[Path], str | None]


@dataclass(frozen=True)
class Folder:
    """One folder with its files.

    Attributes:
        path: the folder, absolute.
        relative: the same from the root of the run, ``"."`` for the root itself.
        sources: names of the source files, for each kind.
        others: names of all other files, links among them.
        reasons: why none of its sources is to be rewritten, if so, for each kind.
        links: those of the sources that are symbolic links to files.
        broken_links: those of the others that are symbolic links in a loop, or behind a folder
            that cannot be entered.
    """

    path: Path
    relative: str
    sources: tuple[tuple[str, ...], ...]
    others: tuple[str, ...]
    reasons: tuple[str | None, ...]
    links: frozenset[str] = frozenset()
    broken_links: tuple[str, ...] = ()

    def name_of(self, file: str) -> str:
        """The file's path from the root of the run."""
        return file if self.relative == "." else f"{self.relative}/{file}"

    def files(self) -> tuple[str, ...]:
        """The names of all files."""
        return (*(name for names in self.sources for name in names), *self.others)


def walk(
    root: Path,
    kinds: Sequence[Kind],
    *,
    into_left: Callable[[Path], bool],
    avoid: Path | None = None,
    report: Callable[[str, OSError], None],
) -> Iterator[Folder]:
    """Yield ``root`` and every folder below it, in order of their names.

    Args:
        root: an absolute folder.
        kinds: the sources to tell apart.
        into_left: whether to go into a folder all the same that is left alone for every
            kind, and yield what is below it with the reason.
        avoid: a folder that is no part of the tree, such as the output.
        report: is called with the relative path of each folder that cannot be read, and why.

    Raises:
        FunctraceError: ``root`` cannot be read.
    """
    waiting: list[tuple[Path, str, tuple[str | None, ...]]] = [(root, ".", (None,) * len(kinds))]
    while waiting:
        path, relative, reasons = waiting.pop()
        try:
            found = _list(path, kinds)
        except OSError as error:
            if path == root:
                raise FunctraceError(f"{path}: {error.strerror}") from error
            report(relative, error)
            continue
        sources = tuple(tuple(sorted(names)) for names in found.sources)
        others, links = tuple(sorted(found.others)), frozenset(found.links)
        broken = tuple(sorted(found.broken))
        yield Folder(path, relative, sources, others, reasons, links, broken)
        for name in sorted(found.folders, reverse=True):
            child = path / name
            if name in _NO_SOURCES or child == avoid:
                continue
            inner = name if relative == "." else f"{relative}/{name}"
            try:
                why = tuple(r or kind.reason(child) for r, kind in zip(reasons, kinds, strict=True))
            except OSError as error:
                report(inner, error)
                continue
            if None in why or into_left(child):
                waiting.append((child, inner, why))
            else:
                yield Folder(child, inner, ((),) * len(kinds), (), why)


def is_file(path: Path) -> bool:
    """Return whether a path leads to a file; one that cannot be followed does not."""
    try:
        return path.is_file()
    except OSError:
        return False


@dataclass(frozen=True)
class _Names:
    """The names in a folder, in no order."""

    sources: tuple[list[str], ...]
    others: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # among the sources
    broken: list[str] = field(default_factory=list)  # links among the others


def _list(path: Path, kinds: Sequence[Kind]) -> _Names:
    """Return what is in a folder, and delete leftovers of killed runs.

    Raises:
        OSError: the folder cannot be read.
    """
    found = _Names(tuple([] for _ in kinds))
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found.folders.append(entry.name)
            elif is_leftover(entry.name):
                with suppress(OSError):  # the tree may be read-only
                    os.unlink(entry.path)
            elif _is_file(entry, found):
                _add_file(entry, kinds, found)
            elif entry.is_symlink():
                found.others.append(entry.name)
    return found


def _is_file(entry: os.DirEntry[str], found: _Names) -> bool:
    try:
        return entry.is_file()
    except OSError:
        found.broken.append(entry.name)
        return False


def _add_file(entry: os.DirEntry[str], kinds: Sequence[Kind], found: _Names) -> None:
    for kind, names in zip(kinds, found.sources, strict=True):
        if entry.name.endswith(kind.suffixes):
            names.append(entry.name)
            if entry.is_symlink():
                found.links.append(entry.name)
            return
    found.others.append(entry.name)
