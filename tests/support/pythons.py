"""The Pythons to test with, and the extension built for each of them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_RECORDER = ROOT / "functrace" / "_native" / "recorder"
_BUILD = ROOT / "build" / "python"
_OLDEST = (3, 10)

_ASK = """
import json, sys, sysconfig
print(json.dumps([sys.implementation.name, sys.version_info[:2], sys.executable,
    sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_path("include"),
    bool(sysconfig.get_config_var("Py_GIL_DISABLED"))]))
"""


@dataclass(frozen=True)
class Python:
    """An interpreter that tests may run.

    Attributes:
        executable: its path.
        release: 3 and 12, say.
        suffix: how an extension's file is called.
        headers: where Python.h is, if it is there.
    """

    executable: str
    release: tuple[int, int]
    suffix: str
    headers: str

    @property
    def name(self) -> str:
        """python3.12, say."""
        return "python{}.{}".format(*self.release)

    @property
    def is_running(self) -> bool:
        """Whether the tests themselves run in it."""
        return self.release == sys.version_info[:2]

    def path(self, *, native: bool) -> Path:
        """The folder for PYTHONPATH. Raises CannotBuildError where it is to be built and cannot."""
        folder = _built(self) if native else ROOT
        _compile_modules(self, folder)
        return folder


class CannotBuildError(Exception):
    """The extension cannot be built; says why, on a line."""


def pythons() -> tuple[Python, ...]:
    """The running one, the oldest and the newest; with FUNCTRACE_CONFORMANCE=all each one."""
    found = all_pythons()
    if os.environ.get("FUNCTRACE_CONFORMANCE") == "all":
        return found
    return tuple(p for p in found if p in (found[0], found[-1]) or p.is_running)


def marks(python: Python) -> tuple[pytest.MarkDecorator, ...]:
    """For a test's parameter: make test has time for the running Python alone."""
    return () if python.is_running else (pytest.mark.versions,)


def each_python() -> list[Any]:
    """Parameters of a test."""
    return [pytest.param(each, marks=marks(each), id=each.name) for each in pythons()]


@cache
def all_pythons() -> tuple[Python, ...]:
    """One of each release that is supported, the oldest first."""
    found: dict[tuple[int, int], Python] = {}
    for candidate in _candidates():
        python = _ask(candidate)
        if python is not None and python.release >= _OLDEST:
            found.setdefault(python.release, python)
    return tuple(found[release] for release in sorted(found))


def _candidates() -> Iterator[str]:
    yield sys.executable
    for minor in range(_OLDEST[1], 20):
        on_path = shutil.which(f"python3.{minor}")
        if on_path is not None:
            yield on_path
    yield from map(str, sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python")))


def _ask(executable: str) -> Python | None:
    run = subprocess.run([executable, "-c", _ASK], capture_output=True, text=True, check=False)
    if run.returncode:
        return None  # one of pyenv's that is not chosen
    name, release, path, suffix, headers, is_free = json.loads(run.stdout)
    has_headers = (Path(headers) / "Python.h").exists()
    if name != "cpython" or is_free:
        return None
    return Python(path, (release[0], release[1]), suffix, headers if has_headers else "")


@cache
def _built(python: Python) -> Path:
    """A folder with a package functrace that is the sources' but for the extension in it."""
    if not python.headers:
        raise CannotBuildError(f"{python.name} has no Python.h")
    folder = _BUILD / f"{python.name}-{_digest()}"
    extension = folder / "functrace" / "_native" / f"_recorder{python.suffix}"
    extension.parent.mkdir(parents=True, exist_ok=True)
    with (_BUILD / "lock").open("w") as lock:  # one worker builds for all
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not extension.exists():
            _compile(python, extension)
    _link(ROOT / "functrace", folder / "functrace")
    _link(ROOT / "functrace" / "_native", folder / "functrace" / "_native")
    return folder


def _compile(python: Python, extension: Path) -> None:
    """As setup.py has it; setuptools is not there for every Python."""
    made = extension.with_name(f"{extension.name}.{os.getpid()}")
    command = ["cc", "-shared", "-fPIC", "-std=c11", "-O3", "-fvisibility=hidden", "-D_GNU_SOURCE"]
    command += [f"-I{python.headers}", "-o", str(made), *map(str, sorted(_RECORDER.glob("*.c")))]
    if sys.platform == "darwin":
        command += ["-undefined", "dynamic_lookup"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CannotBuildError(f"{python.name}: cc: {error.strerror}") from None
    if run.returncode:
        raise CannotBuildError(f"{python.name}: {run.stderr.splitlines()[0]}")
    made.replace(extension)


@cache
def _compile_modules(python: Python, folder: Path) -> None:
    """Compile what a traced program imports, if it can be written: most programs write nothing."""
    package = folder / "functrace"
    runtime = ROOT / "functrace" / "runtime"
    below = (file.parent for file in runtime.rglob("*.py"))
    folders = dict.fromkeys((package, package / "_native", *below))
    command = [python.executable, "-m", "compileall", "-q", "-l", *map(str, folders)]
    subprocess.run(command, capture_output=True, check=False)


def _link(sources: Path, folder: Path) -> None:
    for source in sources.iterdir():
        link = folder / source.name
        if source.name.startswith("_recorder.") or source.name == "__pycache__" or link.exists():
            continue
        try:
            link.symlink_to(source)
        except FileExistsError:
            continue  # another worker's


def _digest() -> str:
    """Of the extension's sources."""
    digest = hashlib.sha256()
    for path in sorted(_RECORDER.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
