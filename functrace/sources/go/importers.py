"""Which files of a tree import a package."""

from __future__ import annotations

import os
from pathlib import Path

from functrace.sources.go.runtime_copy import version_in
from functrace.sources.walk import is_file


def importers(root: Path, path: str) -> list[str]:
    """The Go files below ``root`` that hold ``"path"`` in quotes, from the root.

    Those of the runtime itself are none.
    """
    quoted = f'"{path}"'.encode()
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        if version_in(Path(folder)):
            continue
        for name in sorted(files):
            file = Path(folder) / name
            if name.endswith(".go") and is_file(file) and quoted in file.read_bytes():
                found.append(file.relative_to(root).as_posix())
    return found
