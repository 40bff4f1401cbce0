"""Copies of packages of the Go distribution in a separate module, so that they can be traced.

A copy differs from the original only in its imports: its tests import the copy, and
internal packages are copied as well or, where they depend on the Go runtime, replaced
by those in ``stubs``.
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
    waiting = [*packages]
    done = {f"internal/{stub.name}" for stub in STUBS.iterdir()}
    while waiting:
        package = waiting.pop()
        if package not in done:
            done.add(package)
            waiting += _copy(source, target, package, packages)


def _family(package: str) -> str | None:
    """Return the group of packages that share types, so that all are copied or none."""
    return next((f for f in ("go/", "encoding/json") if package.startswith(f)), None)


def _copy(source: Path, target: Path, package: str, packages: list[str]) -> set[str]:
    """Copy one package; return the internal packages that it imports."""
    internal: set[str] = set()
    tests = package in packages
    is_shared = package.startswith("internal/")
    family = [p for p in packages if _family(p) and (is_shared or _family(p) == _family(package))]

    def replace_import(match: re.Match[str]) -> str:
        head, path = match.groups()
        is_internal = "internal" in path.split("/") and not path.startswith("golang.org/")
        if is_internal:
            internal.add(path)
        is_copied = is_internal or path == package or path in family
        return f'{head}"{MODULE}/{path}"' if is_copied else match[0]

    folder = target / package
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted((source / package).iterdir()):
        if file.is_dir():
            if file.name == "testdata" or file.name.startswith("_"):
                shutil.copytree(file, folder / file.name)
        elif tests or not file.name.endswith("_test.go"):
            if file.suffix == ".go":
                text = file.read_text(encoding="utf-8", errors="surrogateescape")
                new = _IMPORT.sub(replace_import, text)
                (folder / file.name).write_text(new, encoding="utf-8", errors="surrogateescape")
            else:
                shutil.copy(file, folder / file.name)
    return internal
