"""Packages of a build, by its action graph.

Their files are instrumented again, to count functions and to keep copies.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from functrace.gobuild import instrument
from functrace.gobuild.go_command import GoCommand, last
from functrace.gobuild.go_environment import Environment
from functrace.gobuild.package_filter import BY_FILES, import_path_of
from functrace.gobuild.session import Session
from functrace.results import FileResult, Summary
from functrace.sources.go import toolchain
from functrace.sources.pool import get_file_size, run_parallel
from functrace.sources.write import write_atomic

# Flags that determine which files a package contains.
_FOR_LIST = ("mod", "modfile", "modcacherw", "overlay", "tags", "race", "msan", "asan")
_FIELDS = "ImportPath,Dir,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles"

# Source: ``go build -debug-actiongraph=FILE``; only the names of the packages are used.
ACTION_GRAPH_FLAG = "debug-actiongraph"
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class GoPackage:
    """A package of the build and the absolute paths of its files, including tests.

    The name is the one passed to the compiler: ``p_test [p.test]`` for external tests.
    """

    name: str
    files: tuple[str, ...]


def read_action_graph(path: Path, go: subprocess.Popen[bytes]) -> set[str]:
    """Return the import paths in the action graph that ``go`` writes to ``path``.

    The file is written when all packages are loaded, and again at the end; the result is empty
    if ``go`` fails before. A test's main package is named ``p.test``, the package of its external
    tests ``p_test``.
    """
    while True:
        has_ended = go.poll() is not None
        try:
            actions = json.loads(path.read_bytes())
        except (OSError, ValueError):  # missing or incomplete
            if has_ended:
                return set()
            time.sleep(_POLL_SECONDS)
        else:
            return {action["Package"] for action in actions if action.get("Package")}


def find_used(
    session: Session, command: GoCommand, where: Environment, names: set[str]
) -> list[GoPackage]:
    """Return the packages in scope among ``names``, the packages of the action graph.

    Raises:
        FunctraceError: the go command failed to list them.
    """
    flags = [w for f in command.flags if f.name in _FOR_LIST for w in f.words]
    paths = sorted({_tested(name, names) for name in names} - {BY_FILES})
    asked = [[p for p in paths if session.scope.contains(p)]]
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
    """Return the package that the external tests in ``name`` test, else ``name``."""
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
    """Yield a package with its tests, and its external tests as a package."""
    path = entry["ImportPath"]
    is_tested = f"{path}.test" in names
    yield GoPackage(path, _files(entry, "GoFiles", "CgoFiles", *["TestGoFiles"] * is_tested))
    if is_tested:
        yield GoPackage(f"{path}_test [{path}.test]", _files(entry, "XTestGoFiles"))


def _files(entry: dict[str, Any], *fields: str) -> tuple[str, ...]:
    return tuple(os.path.join(entry["Dir"], n) for field in fields for n in entry.get(field, ()))


def _overlaid(packages: list[GoPackage], folder: Path, overlay: str) -> list[GoPackage]:
    """Return the packages with the files that the user's overlay replaces."""
    try:
        replaced = json.loads((folder / overlay).read_text(encoding="utf-8"))["Replace"]
    except (OSError, ValueError, KeyError):
        return packages  # the go command reports the error
    by_path = {str(folder / path): str(folder / other) for path, other in replaced.items()}
    return [GoPackage(p.name, tuple(by_path.get(f, f) for f in p.files)) for p in packages]


def count_instrumented(
    session: Session, packages: list[GoPackage], keep: Path | None
) -> tuple[Summary, int]:
    """Count what is instrumented in ``packages``, and in how many of them.

    Copies of the files are written to ``keep`` if given. A file that is compiled twice, with
    and without its package's tests, counts once.
    """
    summary = Summary()
    touched: set[str] = set()
    work: Callable[[GoPackage], list[FileResult]] = partial(_results, session, keep)
    sizes = [sum(map(get_file_size, p.files)) for p in packages]
    for i, results in run_parallel(work, packages, sizes):
        summary.add(results)
        if any(r.functions for r in results):
            touched.add(import_path_of(packages[i].name))
    return summary, len(touched)


def _results(session: Session, keep: Path | None, package: GoPackage) -> list[FileResult]:
    files = {path: text for path in package.files if (text := _read(path)) is not None}
    found = list(instrument.instrument_package(session, package.name, files, {}))
    if keep is not None:
        for file in found:
            keep_copy(keep, package.name, file.path, file.text or files[file.path])
    return [file.result for file in found]


def keep_copy(keep: Path, package: str, path: str, text: bytes) -> None:
    """Write the text of a package's file to the directory ``keep``."""
    target = keep / import_path_of(package) / os.path.basename(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, text, durable=False)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None  # the compiler reports the error
