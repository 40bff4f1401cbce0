"""Directory of the functrace runtime in a Go module."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from functrace.errors import FunctraceError, UsageError
from functrace.sources.go import runtime_copy
from functrace.sources.go.module import Module

# Default directory for the runtime. Every package of the module may import it.
DEFAULT = "internal/functrace"
# Name of the package and its directory: the last element of an import path is the name by which
# files refer to the package.
_NAME = "functrace"
_ELSEWHERE = ("internal/tracing/functrace", "tracing/functrace")
_LEFT_OUT = ("testdata", "vendor", "node_modules")
# Source: https://go.dev/ref/mod#go-mod-file-ident
_ELEMENT = re.compile(r"[\w~+-][\w.~+-]*", re.ASCII)


@dataclass(frozen=True)
class _Folders:
    """Directories of a module that contain the runtime, and others named functrace."""

    runtimes: tuple[Path, ...]
    others: tuple[Path, ...]


def find(module: Module) -> Path | None:
    """Return the directory of the module that contains the runtime, or None."""
    default = module.root / DEFAULT
    if runtime_copy.read_version(default):
        return default
    return next(iter(_search(module.root).runtimes), None)


def find_unrelated_packages(module: Module) -> frozenset[str]:
    """Return the import paths of packages named functrace that are not the runtime."""
    own = () if runtime_copy.read_version(module.root) else (module.path,)
    return frozenset((*own, *map(module.import_path, _search(module.root).others)))


def choose(module: Module) -> Path:
    """Return the directory that contains the runtime, or the first free one."""
    found = find(module)
    if found:
        return found
    more = (f"tracing{n}/functrace" for n in itertools.count(1))
    names = itertools.chain((DEFAULT,), _ELSEWHERE, more)
    return next(f for name in names if _obstacle(module, f := module.root / name) is None)


def check(module: Module, folder: str) -> Path:
    """Return the absolute path of the directory that the user chose for the runtime.

    Raises:
        FunctraceError: the module has a runtime elsewhere, or the directory is in use.
        UsageError: the directory cannot contain a package of the module.
    """
    path = Path(os.path.normpath(module.root / folder))
    path = path if path.name == _NAME else path / _NAME
    if not path.is_relative_to(module.root):
        raise UsageError(
            f"--out {folder}: not in module {module.path}, whose root is {module.root}"
        )
    elements = path.relative_to(module.root).parts
    wrong = next((e for e in elements if not _ELEMENT.fullmatch(e) or _is_left_out(e)), None)
    if wrong:
        raise UsageError(f"--out {folder}: {wrong} cannot be part of the import path")
    found = find(module)
    if found and found != path:
        raise FunctraceError(
            f"module {module.path} has the functrace runtime in {_relative(module, found)}: "
            "run `functrace runtime remove` first"
        )
    obstacle = None if found else _obstacle(module, path)
    if obstacle:
        raise FunctraceError(f"--out {folder}: {obstacle}")
    return path


def _obstacle(module: Module, folder: Path) -> str | None:
    """Return why the runtime cannot be written to a directory of the module, or None."""
    relative = _relative(module, folder)
    for place in (folder, *folder.parents):
        if place == module.root:
            break
        if place.exists() and not place.is_dir():
            return f"{_relative(module, place)} is a file"
        if (place / "go.mod").exists():
            return f"{_relative(module, place)} is a module of its own"
    if folder.exists() and any(folder.iterdir()):
        return f"{relative} exists and is not the functrace runtime"
    return None


def _relative(module: Module, folder: Path) -> str:
    return folder.relative_to(module.root).as_posix()


@cache
def _search(root: Path) -> _Folders:
    found = tuple(_packages(root))
    runtimes = tuple(folder for folder in found if runtime_copy.read_version(folder))
    others = tuple(f for f in found if f.name == _NAME and f not in runtimes)
    return _Folders(runtimes, others)


def clear_cache() -> None:
    """Clear the cached search results after a runtime was added or removed."""
    _search.cache_clear()


def _packages(root: Path) -> Iterator[Path]:
    """Yield the directories of a module that may contain a runtime or are named functrace."""
    for folder, below, files in os.walk(root):
        path = Path(folder)
        if path != root and "go.mod" in files:
            below.clear()
            continue
        below[:] = sorted(name for name in below if not _is_left_out(name))
        if "doc.go" in files or (path.name == _NAME and any(f.endswith(".go") for f in files)):
            yield path


def _is_left_out(name: str) -> bool:
    return name in _LEFT_OUT or name.startswith((".", "_"))
