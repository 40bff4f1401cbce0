"""The packages that a build uses, and what is instrumented in them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.files.pool import spread
from functrace.files.write import write_atomic
from functrace.golang.gobuild import instrument
from functrace.golang.gobuild.scope import plain
from functrace.golang.gobuild.session import Session
from functrace.report import FileResult, Summary

_FIELDS = "ImportPath,Dir,GoFiles,CgoFiles,TestGoFiles,Error"


@dataclass(frozen=True)
class GoPackage:
    """A package of the build, maybe as it is built for a test, and its files' absolute paths."""

    name: str
    files: tuple[str, ...]


def used(
    session: Session, go: Path, arguments: list[str], folder: Path, *, tests: bool
) -> list[GoPackage]:
    """The packages in scope that a build of ``arguments``, flags and packages, compiles.

    Raises:
        FunctraceError: the go command does not know.
    """
    test = ["-test"] if tests else []
    run = subprocess.run(
        [go, "list", "-e", "-deps", *test, f"-json={_FIELDS}", *arguments],
        cwd=folder,
        env={**os.environ, "GOGC": "400"},  # it shares the cores with the build itself
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    if run.returncode:
        raise FunctraceError(run.stderr.strip())
    return [p for p in _packages(run.stdout) if session.scope.holds(p.name) and p.files]


def overlaid(packages: list[GoPackage], overlay: Path) -> list[GoPackage]:
    """The packages with the files that a user's overlay puts in place of theirs."""
    try:
        replaced = json.loads(overlay.read_text(encoding="utf-8"))["Replace"]
    except (OSError, ValueError, KeyError):
        return packages  # the go command says so
    folder = Path.cwd()
    by_path = {str(folder / path): str(folder / other) for path, other in replaced.items()}
    return [GoPackage(p.name, tuple(by_path.get(f, f) for f in p.files)) for p in packages]


def _packages(text: str) -> Iterator[GoPackage]:
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        entry, at = decoder.raw_decode(text, at)
        at += len(text[at : at + 1])  # the newline between two objects
        folder = entry.get("Dir", "")
        names = [*entry.get("GoFiles", ()), *entry.get("CgoFiles", ())]
        yield GoPackage(
            entry["ImportPath"],
            tuple(os.path.join(folder, n) for n in names if not os.path.isabs(n)),
        )


def count(session: Session, packages: list[GoPackage], keep: Path | None) -> tuple[Summary, int]:
    """What is instrumented in ``packages``, and in how many; copies go to ``keep`` if asked.

    A file that is compiled twice, with and without its package's tests, counts once.
    """
    summary = Summary()
    seen: set[str] = set()
    touched: set[str] = set()
    work: Callable[[GoPackage], list[FileResult]] = partial(_results, session, keep)
    sizes = [sum(map(_size, p.files)) for p in packages]
    for i, results in spread(work, packages, sizes):
        new = [r for r in results if r.path not in seen]
        seen.update(r.path for r in new)
        summary.add(new)
        if any(r.functions or r.traced for r in results):
            touched.add(plain(packages[i].name))
    return summary, len(touched)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _results(session: Session, keep: Path | None, package: GoPackage) -> list[FileResult]:
    files = {path: text for path in package.files if (text := _read(path)) is not None}
    found = list(instrument.package(session, package.name, files))
    if keep is not None:
        for file in found:
            target = keep / plain(package.name) / os.path.basename(file.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, file.text or files[file.path], durable=False)
    return [file.result for file in found]


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None  # the compiler will say so
