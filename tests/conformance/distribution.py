"""Packages of the Go distribution as a module of their own, so that they can be traced.

A copy differs from the original in its imports alone: its own tests import the
copy, and internal packages are copied as well or, where they reach into the Go
runtime, stood in for by those in ``stubs``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

MODULE = "example.com/std"
STUBS = Path(__file__).parent / "stubs"
_IMPORT = re.compile(r'^(import\s+(?:[\w.]+\s+)?|\t(?:[\w.]+\s+)?)"([\w./-]+)"', re.MULTILINE)


def make(source: Path, target: Path, packages: list[str], release: tuple[int, int]) -> None:
    """Copy ``packages`` from the distribution's ``source`` into a new module at ``target``."""
    target.mkdir(parents=True)
    version = ".".join(map(str, release))
    (target / "go.mod").write_text(f"module {MODULE}\n\ngo {version}\n")
    shutil.copytree(STUBS, target / "internal")
    waiting = list(packages)
    while waiting:
        package = waiting.pop()
        if not (target / package).exists() or package in packages:
            waiting += _copy(source, target, package, tests=package in packages)


def _copy(source: Path, target: Path, package: str, *, tests: bool) -> set[str]:
    """Copy one package; return the internal packages that it imports."""
    internal: set[str] = set()

    def moved(match: re.Match[str]) -> str:
        head, path = match.groups()
        is_internal = "internal" in path.split("/") and not path.startswith("golang.org/")
        if is_internal:
            internal.add(path)
        return f'{head}"{MODULE}/{path}"' if is_internal or path == package else match[0]

    folder = target / package
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted((source / package).iterdir()):
        if file.is_dir():
            if file.name == "testdata" and tests:
                shutil.copytree(file, folder / "testdata")
        elif tests or not file.name.endswith("_test.go"):
            if file.suffix == ".go":
                text = file.read_text(encoding="utf-8", errors="surrogateescape")
                new = _IMPORT.sub(moved, text)
                (folder / file.name).write_text(new, encoding="utf-8", errors="surrogateescape")
            else:
                shutil.copy(file, folder / file.name)
    return internal
