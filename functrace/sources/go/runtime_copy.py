"""The Go runtime as a package of the user's own module: no network, no change of go.mod."""

from __future__ import annotations

import re
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from functrace.errors import FunctraceError
from functrace.sources.write import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

    if sys.version_info >= (3, 11):
        from importlib.resources.abc import Traversable
    else:
        from importlib.abc import Traversable

# What a runtime imports as when there is no module to put it in: the name of its own.
OWN_PATH = "functrace"
_HTTP = "tracehttp"
# The module of the sender, which sends to a collector what a program records.
SENDER = "otlp"
# How files of the runtime begin that are for programs which carry their sender.
_CARRYING = "embedded"
_MARKER = re.compile(rb"// functrace:runtime (\S+)")


def sources() -> dict[str, bytes]:
    """The runtime's files as a module carries them: no tests, no go.mod."""
    files = _sources(resources.files("runtime_go"))
    return {name: text for name, text in files.items() if not name.startswith(_CARRYING)}


def carrying_sources() -> dict[str, bytes]:
    """What comes to them in a program that carries its sender: a file beside them."""
    files = _sources(resources.files("runtime_go"))
    return {name: text for name, text in files.items() if name.startswith(_CARRYING)}


def http_sources(import_path: str) -> dict[str, bytes]:
    """The files of the package beside it that serves recordings of the runtime so imported."""
    files = _sources(resources.files("runtime_go").joinpath(_HTTP))
    own, imported = f'"{OWN_PATH}"'.encode(), f'"{import_path}"'.encode()
    return {f"{_HTTP}/{name}": text.replace(own, imported) for name, text in files.items()}


def sender_sources() -> dict[str, bytes]:
    """The sender's module, by the paths in it: no tests."""
    return dict(_module(resources.files("runtime_go").joinpath(SENDER), ""))


def _module(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for name, content in _sources(folder, ".go", ".s", ".mod", ".sum").items():
        yield prefix + name, content
    for below in sorted(folder.iterdir(), key=lambda f: f.name):
        if below.is_dir() and below.name != "testdata":
            yield from _module(below, f"{prefix}{below.name}/")


def _sources(folder: Traversable, *endings: str) -> dict[str, bytes]:
    files = (f for f in folder.iterdir() if f.is_file())
    wanted = (
        f
        for f in files
        if f.name.endswith(endings or (".go", ".s")) and not f.name.endswith("_test.go")
    )
    return {f.name: f.read_bytes() for f in sorted(wanted, key=lambda f: f.name)}


def version_in(folder: Path) -> str | None:
    """The version of the functrace runtime in ``folder``, or None where there is none."""
    try:
        with (folder / "doc.go").open("rb") as file:
            match = _MARKER.match(file.readline())
    except OSError:
        return None
    return match[1].decode() if match else None


def add(folder: Path, http: str | None = None, *, sender: bool = False) -> list[Path]:
    """Write the runtime into ``folder``; return the files that were new or different.

    Args:
        folder: maybe not there yet.
        http: the import path that the folder has, for the package that serves recordings.
        sender: with the sender, as a module of its own.

    Raises:
        FunctraceError: the folder holds something else, which stays as it is.
    """
    if folder.exists() and any(folder.iterdir()) and not version_in(folder):
        raise FunctraceError(f"{folder} exists and is not the functrace runtime: left as it is")
    files = {
        **sources(),
        **(http_sources(http) if http else {}),
        **(_sender_below() if sender else {}),
    }
    changed = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            write_atomic(path, content)
            changed.append(path)
    return changed


def _sender_below() -> dict[str, bytes]:
    return {f"{SENDER}/{name}": content for name, content in sender_sources().items()}


def remove(folder: Path, import_path: str) -> list[Path]:
    """Delete the runtime's files from ``folder``, and the folder if nothing else is in it.

    Raises:
        FunctraceError: there is no runtime, or a file of it was changed by hand.
    """
    if not version_in(folder):
        raise FunctraceError(f"{folder} holds no functrace runtime")
    files = {**sources(), **http_sources(import_path), **_sender_below()}
    own = {folder / name: content for name, content in files.items()}
    there = {path: content for path, content in own.items() if path.exists()}
    for path, content in there.items():
        if path.read_bytes() != content:
            raise FunctraceError(
                f"{path} is not as functrace {own_version()} wrote it: nothing removed"
            )
    # The marker goes last: an interrupted removal can be run again.
    for path in sorted(there, key=lambda p: p == folder / "doc.go"):
        path.unlink()
    places = {place for path in own for place in path.parents if place.is_relative_to(folder)}
    for place in sorted(places, key=lambda p: len(p.parts), reverse=True):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    return list(there)


def own_version() -> str:
    """The version of the runtime that :func:`add` writes."""
    match = _MARKER.match(sources()["doc.go"])
    return match[1].decode() if match else "?"
