"""Directories that are skipped in every language."""

from __future__ import annotations

from pathlib import Path

_NAMES = frozenset(("testdata", "vendor", "node_modules", "site-packages", "dist-packages"))


def skip_reason(folder: Path) -> str | None:
    """Return why a directory and everything below it is skipped without ``--all``, or None."""
    if folder.name in _NAMES:
        return folder.name
    if is_environment(folder):
        return "virtual environment"
    if folder.name.startswith("."):
        return "name starts with a dot"
    return None


def is_environment(folder: Path) -> bool:
    """Return whether a directory is a Python virtual environment."""
    return (folder / "pyvenv.cfg").is_file()
