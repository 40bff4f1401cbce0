"""The folders of a source tree, and which of their files are to be rewritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.files.write import is_leftover

# Version control's own data is no part of a source tree, and can be larger than it.
_VERSION_CONTROL = frozenset((".git", ".hg", ".svn", ".bzr", ".jj"))


@dataclass(frozen=True)
class Folder:
    """One folder with its files.

    Attributes:
        path: the folder, absolute.
        relative: the same from the root of the run, ``"."`` for the root itself.
        sources: names of the files to rewrite.
        siblings: names of all source files, those included.
        others: names of all other files, links among them.
        folders: whether it has folders in it.
        reason: why none of its sources is to be rewritten, if so.
    """

    path: Path
    relative: str
    sources: tuple[str, ...]
    siblings: tuple[str, ...]
    others: tuple[str, ...]
    reason: str | None = None

    def name_of(self, file: str) -> str:
        """The file's path from the root of the run."""
        return file if self.relative == "." else f"{self.relative}/{file}"


def walk(
    root: Path,
    *,
    suffix: str,
    reason_of: Callable[[Path], str | None],
    into_left: bool,
    avoid: Path | None = None,
) -> Iterator[Folder]:
    """Yield ``root`` and every folder below it, in order of their names.

    Args:
        root: an absolute folder.
        suffix: what a source file's name ends with.
        reason_of: why a folder, and all below it, is left alone; None if it is not.
        into_left: go into such folders all the same, and yield them with their reason.
        avoid: a folder that is no part of the tree, such as the output.

    Raises:
        FunctraceError: a folder cannot be read.
    """
    waiting: list[tuple[Path, str, str | None]] = [(root, ".", None)]
    while waiting:
        path, relative, reason = waiting.pop()
        sources, others, below = _list(path, suffix)
        kept = () if reason else sources
        yield Folder(path, relative, kept, sources, others, reason)
        for name in reversed(below):
            child = path / name
            if name in _VERSION_CONTROL or child == avoid:
                continue
            why = reason or reason_of(child)
            inner = name if relative == "." else f"{relative}/{name}"
            if why is None or into_left:
                waiting.append((child, inner, why))
            else:
                yield Folder(child, inner, (), (), (), why)


def _list(path: Path, suffix: str) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """The names in a folder: sources, other files, folders. Leftovers of killed runs go."""
    sources: list[str] = []
    others: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif is_leftover(entry.name):
                    (path / entry.name).unlink()
                elif entry.name.endswith(suffix) and entry.is_file():
                    sources.append(entry.name)
                elif entry.is_symlink() or entry.is_file():
                    others.append(entry.name)
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror}") from error
    return tuple(sorted(sources)), tuple(sorted(others)), sorted(folders)
