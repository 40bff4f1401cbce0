"""Go modules: which one a folder belongs to, and what its packages are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Source: https://go.dev/ref/mod#go-mod-file-module
_MODULE = re.compile(r"^\s*module\s+(?:\(\s*)?[\"`]?([^\s\"`()]+)", re.MULTILINE)
_REQUIRED_RUNTIME = re.compile(
    r"^\s*(?:require\s+)?(\S+/functrace(?:/v\d+)?)\s+v\S+[ \t]*$", re.MULTILINE
)


@dataclass(frozen=True)
class Module:
    """A Go module: the folder of its go.mod and the path that it declares."""

    root: Path
    path: str

    def package(self, folder: Path) -> str:
        """The import path of the package in ``folder``, which lies in the module."""
        relative = folder.relative_to(self.root).as_posix()
        return "/".join(filter(None, [self._prefix, relative if relative != "." else ""]))

    def may_have(self, package: str) -> bool:
        """Whether a package of that import path lies in the module, or in one nested in it."""
        prefix = self._prefix
        return package == prefix or package.startswith(f"{prefix}/" if prefix else "")

    def folder(self, package: str) -> Path | None:
        """The folder of one of the module's packages; None if it is of another module."""
        if not self.may_have(package):
            return None
        folder = self.root / package[len(self._prefix) :].lstrip("/")
        return folder if folder.is_dir() else None

    @property
    def _prefix(self) -> str:
        # The standard library's module is called std, its packages are not.
        return "" if self.path == "std" else self.path

    def required_runtime(self) -> str | None:
        """The import path of a functrace runtime that go.mod requires, if it does."""
        match = _REQUIRED_RUNTIME.search(_read(self.root / "go.mod"))
        return match[1] if match else None


@cache
def module_of(folder: Path) -> Module | None:
    """The module that an absolute ``folder`` belongs to, or None outside any."""
    declared = declared_in(folder)
    if declared or folder.parent == folder:
        return declared
    return module_of(folder.parent)


def declared_in(folder: Path) -> Module | None:
    """The module whose go.mod stands in ``folder`` itself, or None."""
    match = _MODULE.search(re.sub(r"//.*", "", _read(folder / "go.mod")))
    return Module(folder, match[1]) if match else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
