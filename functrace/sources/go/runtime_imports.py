"""Packages that the Go runtime imports, and files that import the runtime."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from functrace.sources.go import runtime_copy
from functrace.sources.go.module import Module
from functrace.sources.walk import is_file

_IMPORTS = re.compile(rb"^import\s+(?:\([^)]*\)|[^\n]*)", re.MULTILINE)
_PATH = re.compile(rb'"([^"\n]+)"')


@cache
def find_runtime_dependencies(module: Module, path: str) -> frozenset[str]:
    """Return the module's packages that the runtime at ``path`` imports, also indirectly.

    They cannot be instrumented: a trace call in one of them would be an import cycle.
    They exist only in the module that contains the runtime and in the standard library.
    """
    waiting = list(_imports_of_runtime(module, path))
    needed: set[str] = set()
    while waiting:
        package = waiting.pop()
        if package not in needed and module.folder(package) is not None:
            needed.add(package)
            waiting += _imports_of_package(module, package)
    return frozenset(needed)


def find_importers(root: Path, path: str) -> list[str]:
    """Return the Go files below ``root`` that contain ``"path"``, relative to ``root``.

    The files of the runtime itself are excluded.
    """
    quoted = f'"{path}"'.encode()
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        if runtime_copy.read_version(Path(folder)):
            continue
        for name in sorted(files):
            file = Path(folder) / name
            if name.endswith(".go") and is_file(file) and quoted in file.read_bytes():
                found.append(file.relative_to(root).as_posix())
    return found


def _imports_of_runtime(module: Module, path: str) -> Iterable[str]:
    if module.path == "std":
        return _imports(runtime_copy.read_sources().values())
    return _imports_of_package(module, path)


def _imports_of_package(module: Module, package: str) -> Iterator[str]:
    folder = module.folder(package)
    files = sorted(folder.glob("*.go")) if folder else []
    return _imports(f.read_bytes() for f in files if not f.name.endswith("_test.go"))


def _imports(sources: Iterable[bytes]) -> Iterator[str]:
    for source in sources:
        for declaration in _IMPORTS.findall(source):
            yield from (path.decode(errors="replace") for path in _PATH.findall(declaration))
