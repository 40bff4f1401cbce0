"""Walk over the directories of a source tree."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.sources.write import is_leftover

# Where an output tree keeps its manifest and lock.
STATE_FOLDER = ".functrace"
# Data of version control, which can be larger than the sources, and Python's compiled files,
# which do not match the sources in an output tree.
_EXCLUDED_FOLDERS = frozenset((".git", ".hg", ".svn", ".bzr", ".jj", "__pycache__", STATE_FOLDER))


@dataclass(frozen=True)
class Kind:
    """The source files of one language.

    Attributes:
        suffixes: file name suffixes.
        skip_reason: returns why a directory and everything below it is skipped, or None.
    """

    suffixes: tuple[str, ...]
    skip_reason: Callable[[Path], str | None]


@dataclass(frozen=True)
class Folder:
    """One directory with its files.

    Attributes:
        path: the directory, absolute.
        relative: its path from the root of the run, ``"."`` for the root itself.
        sources: names of the source files, for each kind.
        others: names of all other files, including links.
        skip_reasons: why its sources are skipped, or None, for each kind.
        links: the sources that are symbolic links to files.
        broken_links: symbolic links among ``others`` that form a loop or lead through a
            directory that cannot be entered.
    """

    path: Path
    relative: str
    sources: tuple[tuple[str, ...], ...]
    others: tuple[str, ...]
    skip_reasons: tuple[str | None, ...]
    links: frozenset[str] = frozenset()
    broken_links: tuple[str, ...] = ()

    def name_of(self, file: str) -> str:
        """Return the path of a file from the root of the run."""
        return file if self.relative == "." else f"{self.relative}/{file}"

    def files(self) -> tuple[str, ...]:
        """Return the names of all files."""
        return (*(name for names in self.sources for name in names), *self.others)


def walk(
    root: Path,
    kinds: Sequence[Kind],
    *,
    should_walk_skipped: Callable[[Path], bool],
    avoid: Path | None = None,
    report: Callable[[str, OSError], None],
) -> Iterator[Folder]:
    """Yield ``root`` and every directory below it, in order of their names.

    Args:
        root: an absolute directory.
        kinds: the kinds of source files.
        should_walk_skipped: returns whether to descend into a directory that is skipped for every
            kind; the directories below it are yielded with the reason.
        avoid: a directory to ignore, such as the output tree.
        report: called with the relative path of each unreadable directory and the error.

    Raises:
        FunctraceError: ``root`` cannot be read.
    """
    pending: list[tuple[Path, str, tuple[str | None, ...]]] = [(root, ".", (None,) * len(kinds))]
    while pending:
        path, relative, reasons = pending.pop()
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
            if name in _EXCLUDED_FOLDERS or child == avoid:
                continue
            inner = name if relative == "." else f"{relative}/{name}"
            try:
                pairs = zip(reasons, kinds, strict=True)
                child_reasons = tuple(reason or kind.skip_reason(child) for reason, kind in pairs)
            except OSError as error:
                report(inner, error)
                continue
            if None in child_reasons or should_walk_skipped(child):
                pending.append((child, inner, child_reasons))
            else:
                yield Folder(child, inner, ((),) * len(kinds), (), child_reasons)


def is_file(path: Path) -> bool:
    """Return whether a path leads to a file; an unreadable path does not."""
    try:
        return path.is_file()
    except OSError:
        return False


@dataclass(frozen=True)
class _Names:
    """Names of a directory's entries, unsorted."""

    sources: tuple[list[str], ...]
    others: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # among the sources
    broken: list[str] = field(default_factory=list)  # links among the others


def _list(path: Path, kinds: Sequence[Kind]) -> _Names:
    """Return the entries of a directory; delete temporary files of killed runs.

    Raises:
        OSError: the directory cannot be read.
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
