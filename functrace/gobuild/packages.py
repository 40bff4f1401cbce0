"""The packages that a build uses, and what is instrumented in them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from functrace.gobuild import instrument
from functrace.gobuild.environment import Environment
from functrace.gobuild.go_command import GoCommand, last
from functrace.gobuild.package_filter import BY_FILES, plain
from functrace.gobuild.session import Session
from functrace.results import FileResult, Summary
from functrace.sources.go import toolchain
from functrace.sources.pool import get_file_size, run_parallel
from functrace.sources.write import write_atomic

# What decides which files a package has.
_FOR_LIST = ("mod", "modfile", "modcacherw", "overlay", "tags", "race", "msan", "asan")
_FIELDS = "ImportPath,Dir,GoFolderRewriter,CgoFiles,TestGoFiles,XTestGoFiles"


@dataclass(frozen=True)
class GoPackage:
    """A package of the build and its files' absolute paths, those of its tests as well.

    The name is the one that the compiler is told: ``p_test [p.test]`` for external tests.
    """

    name: str
    files: tuple[str, ...]


def used(
    session: Session, command: GoCommand, where: Environment, names: set[str]
) -> list[GoPackage]:
    """The packages in scope among ``names``, those of the action graph.

    Raises:
        FunctraceError: the go command does not know.
    """
    flags = [w for f in command.flags if f.name in _FOR_LIST for w in f.words]
    paths = sorted({_tested(name, names) for name in names} - {BY_FILES})
    asked = [[p for p in paths if session.scope.holds(p)]]
    if BY_FILES in names:
        asked.append(list(command.operands))
    haste = {**os.environ, "GOGC": "400"}  # it shares the cores with the build itself
    found: list[GoPackage] = []
    for operands in filter(None, asked):
        words = ["list", "-e", "-find", f"-json={_FIELDS}", *flags, "--", *operands]
        text = toolchain.run_go(where.go, words, where.folder, haste)
        found += (p for entry in _entries(text) for p in _packages(entry, names) if p.files)
    overlay = last(where.flags, "overlay")
    return _overlaid(found, where.folder, overlay) if overlay else found


def _tested(name: str, names: set[str]) -> str:
    """The package that ``name`` holds external tests of, if it does, else ``name``."""
    tested = name.removesuffix("_test")
    return tested if f"{tested}.test" in names else name


def _entries(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        entry, at = decoder.raw_decode(text, at)
        at += len(text[at : at + 1])  # the newline between two objects
        yield entry


def _packages(entry: dict[str, Any], names: set[str]) -> Iterator[GoPackage]:
    """What the build has of one package: itself with its tests, its external tests."""
    path = entry["ImportPath"]
    is_tested = f"{path}.test" in names
    yield GoPackage(path, _files(entry, "GoFiles", "CgoFiles", *["TestGoFiles"] * is_tested))
    if is_tested:
        yield GoPackage(f"{path}_test [{path}.test]", _files(entry, "XTestGoFiles"))


def _files(entry: dict[str, Any], *fields: str) -> tuple[str, ...]:
    return tuple(os.path.join(entry["Dir"], n) for field in fields for n in entry.get(field, ()))


def _overlaid(packages: list[GoPackage], folder: Path, overlay: str) -> list[GoPackage]:
    """The packages with the files that a user's overlay puts in place of theirs."""
    try:
        replaced = json.loads((folder / overlay).read_text(encoding="utf-8"))["Replace"]
    except (OSError, ValueError, KeyError):
        return packages  # the go command says so
    by_path = {str(folder / path): str(folder / other) for path, other in replaced.items()}
    return [GoPackage(p.name, tuple(by_path.get(f, f) for f in p.files)) for p in packages]


def count(session: Session, packages: list[GoPackage], keep: Path | None) -> tuple[Summary, int]:
    """What is instrumented in ``packages``, and in how many; copies go to ``keep`` if asked.

    A file that is compiled twice, with and without its package's tests, counts once.
    """
    summary = Summary()
    touched: set[str] = set()
    work: Callable[[GoPackage], list[FileResult]] = partial(_results, session, keep)
    sizes = [sum(map(get_file_size, p.files)) for p in packages]
    for i, results in run_parallel(work, packages, sizes):
        summary.add(results)
        if any(r.functions for r in results):
            touched.add(plain(packages[i].name))
    return summary, len(touched)


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
