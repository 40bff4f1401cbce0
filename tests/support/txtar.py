"""Text archives: a comment, followed by files, each after a line ``-- name --``.

Source: golang.org/x/tools/txtar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_HEADER = re.compile(rb"^-- (\S+) --\n", re.MULTILINE)


@dataclass
class Archive:
    comment: bytes
    files: dict[str, bytes] = field(default_factory=dict)


def load(path: Path) -> Archive:
    comment, *parts = _HEADER.split(path.read_bytes())
    names, contents = parts[::2], parts[1::2]
    return Archive(comment, {n.decode(): c for n, c in zip(names, contents, strict=True)})


def save(path: Path, archive: Archive) -> None:
    sections = (f"-- {name} --\n".encode() + text for name, text in archive.files.items())
    path.write_bytes(archive.comment + b"".join(sections))
