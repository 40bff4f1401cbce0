"""Which folders are nobody's sources, in whatever language."""

from __future__ import annotations

from pathlib import Path

_NAMES = frozenset(("testdata", "vendor", "node_modules", "site-packages", "dist-packages"))


def reason(folder: Path) -> str | None:
    """Why a folder, and all below it, is left alone unless ``--all`` is given; None if not."""
    if folder.name in _NAMES:
        return folder.name
    if is_environment(folder):
        return "virtual environment"
    if folder.name.startswith("."):
        return "name starts with a dot"
    return None


def is_environment(folder: Path) -> bool:
    """Whether a folder is a virtual environment of Python."""
    return (folder / "pyvenv.cfg").is_file()
