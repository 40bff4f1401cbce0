"""What Python calls the module in a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def package_of(folder: Path) -> str:
    """The dotted name of the package in an absolute ``folder``; ``""`` if it is none."""
    if not (folder / "__init__.py").is_file() or folder.parent == folder:
        return ""
    return _joined(package_of(folder.parent), folder.name)


def module_of(package: str, file: str) -> str:
    """The dotted name of the module in ``file``, in the folder of ``package``."""
    stem = file.rpartition(".")[0] or file
    return package if package and stem == "__init__" else _joined(package, stem)


def import_root(folder: Path) -> Path:
    """The folder that Python must search to find the modules in ``folder``."""
    return folder.parents[package_of(folder).count(".")] if package_of(folder) else folder


def _joined(package: str, name: str) -> str:
    return f"{package}.{name}" if package else name
