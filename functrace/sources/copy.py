"""Copies of the files in an output tree that are not rewritten."""

from __future__ import annotations

import os
import re
from pathlib import Path

from functrace.sources.write import copy_atomic, write_atomic

# A path relative to the go.mod or go.work that contains it: after => or use, or alone in use ( ).
_RELATIVE = re.compile(r"(=>\s*|\buse\s+|^\s+)(\"?)(\.\.?/[^\s\")]*|\.\.)(\"?)", re.MULTILINE)


def copy(source: Path, target: Path, root: Path) -> str | None:
    """Copy a file or link from the tree below ``root``; return the error message, if any.

    Relative paths that leave the tree, in symbolic links and in go.mod and
    go.work, become absolute: from the copy they would lead elsewhere.
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
        adjusted = _RELATIVE.sub(lambda m: m[1] + m[2] + _adjust(m[3], source, root) + m[4], text)
        content = adjusted.encode(errors="surrogateescape")
        write_atomic(target, content, like=source.stat(), durable=False)
    else:
        copy_atomic(source, target)


def _copy_link(source: Path, target: Path, root: Path) -> None:
    link_target = str(source.readlink())
    target.unlink(missing_ok=True)
    target.symlink_to(_adjust(link_target, source, root))


def _adjust(path: str, source: Path, root: Path) -> str:
    """Return ``path`` if it stays below ``root``, else the absolute path that it stands for."""
    absolute = os.path.normpath(source.parent / path)
    return path if Path(absolute).is_relative_to(root) else absolute
