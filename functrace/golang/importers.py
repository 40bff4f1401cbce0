"""Which files of a tree import a package."""

from __future__ import annotations

import os
from pathlib import Path


def importers(root: Path, path: str) -> list[str]:
    """The Go files below ``root`` that hold ``"path"`` in quotes, from the root."""
    quoted = f'"{path}"'.encode()
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(files):
            file = Path(folder) / name
            if name.endswith(".go") and file.is_file() and quoted in file.read_bytes():
                found.append(file.relative_to(root).as_posix())
    return found
