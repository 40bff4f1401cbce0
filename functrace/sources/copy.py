"""The files of an output tree that are not rewritten."""

from __future__ import annotations

import os
import re
from pathlib import Path

from functrace.sources.write import copy_atomic, write_atomic

# A path that a go.mod or go.work takes relative to itself: behind => or use, or alone in use ( ).
_RELATIVE = re.compile(r"(=>\s*|\buse\s+|^\s+)(\"?)(\.\.?/[^\s\")]*|\.\.)(\"?)", re.MULTILINE)


def copy(source: Path, target: Path, root: Path) -> str | None:
    """Copy a file or link of the tree below ``root``; return why it could not be.

    Relative paths that leave the tree, in symbolic links and in go.mod and
    go.work, become absolute: they would lead elsewhere from the copy.
    """
    try:
        _copy(source, target, root)
    except OSError as error:
        return error.strerror
    return None


def _copy(source: Path, target: Path, root: Path) -> None:
    if source.is_symlink():
        _copy_link(source, target, root)
    elif source.name in ("go.mod", "go.work"):
        text = source.read_text(encoding="utf-8", errors="surrogateescape")
        moved = _RELATIVE.sub(lambda m: m[1] + m[2] + _outside(m[3], source, root) + m[4], text)
        content = moved.encode(errors="surrogateescape")
        write_atomic(target, content, like=source.stat(), durable=False)
    else:
        copy_atomic(source, target)


def _copy_link(source: Path, target: Path, root: Path) -> None:
    aim = str(source.readlink())
    target.unlink(missing_ok=True)
    target.symlink_to(_outside(aim, source, root))


def _outside(path: str, source: Path, root: Path) -> str:
    """``path`` itself if it stays below ``root``, else where it leads from ``source``."""
    there = os.path.normpath(source.parent / path)
    return path if Path(there).is_relative_to(root) else there
