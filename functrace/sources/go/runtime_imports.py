"""Packages that must not be instrumented because the runtime itself needs them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from functrace.sources.go import runtime_copy
from functrace.sources.go.module import Module

_IMPORTS = re.compile(rb"^import\s+(?:\([^)]*\)|[^\n]*)", re.MULTILINE)
_PATH = re.compile(rb'"([^"\n]+)"')


@cache
def needed_by_runtime(module: Module, path: str) -> frozenset[str]:
    """The module's packages that the runtime imported as ``path`` imports, however indirectly.

    A trace call in one of them would be an import cycle. There are some in the
    module that a runtime of its own stands in, and in the standard library.
    """
    waiting = list(_imports_of_runtime(module, path))
    needed: set[str] = set()
    while waiting:
        package = waiting.pop()
        if package not in needed and module.folder(package) is not None:
            needed.add(package)
            waiting += _imports_of_package(module, package)
    return frozenset(needed)


def _imports_of_runtime(module: Module, path: str) -> Iterable[str]:
    if module.path == "std":
        return _imports(runtime_copy.sources().values())
    return _imports_of_package(module, path)


def _imports_of_package(module: Module, package: str) -> Iterator[str]:
    folder = module.folder(package)
    files = sorted(folder.glob("*.go")) if folder else []
    return _imports(f.read_bytes() for f in files if not f.name.endswith("_test.go"))


def _imports(sources: Iterable[bytes]) -> Iterator[str]:
    for source in sources:
        for declaration in _IMPORTS.findall(source):
            yield from (path.decode(errors="replace") for path in _PATH.findall(declaration))
