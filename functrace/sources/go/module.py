"""Go modules: lookup by directory, and import paths of packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Source: https://go.dev/ref/mod#go-mod-file-module
_MODULE = re.compile(r"^\s*module\s+(?:\(\s*)?[\"`]?([^\s\"`()]+)", re.MULTILINE)


@dataclass(frozen=True)
class Module:
    """A Go module: the directory of its go.mod and its module path."""

    root: Path
    path: str

    def import_path(self, folder: Path) -> str:
        """Return the import path of the package in ``folder``, a directory of the module."""
        relative = folder.relative_to(self.root).as_posix()
        return "/".join(filter(None, [self._prefix, relative if relative != "." else ""]))

    def may_contain(self, package: str) -> bool:
        """Return whether an import path is one of the module or of a module nested in it."""
        prefix = self._prefix
        return package == prefix or package.startswith(f"{prefix}/" if prefix else "")

    def folder(self, package: str) -> Path | None:
        """Return the directory of one of the module's packages, or None for other packages."""
        if not self.may_contain(package):
            return None
        folder = self.root / package[len(self._prefix) :].lstrip("/")
        return folder if folder.is_dir() else None

    @property
    def _prefix(self) -> str:
        # The module path of the standard library, std, is not part of its import paths.
        return "" if self.path == "std" else self.path


@cache
def find_module(folder: Path) -> Module | None:
    """Return the module that an absolute ``folder`` belongs to, or None."""
    declared = read_module(folder)
    if declared or folder.parent == folder:
        return declared
    return find_module(folder.parent)


def read_module(folder: Path) -> Module | None:
    """Return the module whose go.mod is in ``folder`` itself, or None."""
    match = _MODULE.search(re.sub(r"//.*", "", _read(folder / "go.mod")))
    return Module(folder, match[1]) if match else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
