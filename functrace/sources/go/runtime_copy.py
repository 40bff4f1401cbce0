"""Copy of the Go runtime in the user's module: no network access, no change to go.mod."""

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

# Import path of the runtime where there is no module to add it to: the runtime's own module path.
DEFAULT_IMPORT_PATH = "functrace"
_HTTP = "tracehttp"
# Directory of the sender's module. The sender exports what a program records to a collector.
SENDER = "otlp"
# Name prefix of the runtime's files that are only for programs with an embedded sender.
_EMBEDDED_PREFIX = "embedded"
_MARKER = re.compile(rb"// functrace:runtime (\S+)")


def read_sources() -> dict[str, bytes]:
    """Return the runtime's files for a user's module, without tests and go.mod."""
    files = _read_folder(resources.files("runtime_go"))
    return {name: text for name, text in files.items() if not name.startswith(_EMBEDDED_PREFIX)}


def read_embedded_sources() -> dict[str, bytes]:
    """Return the runtime's additional files for programs with an embedded sender."""
    files = _read_folder(resources.files("runtime_go"))
    return {name: text for name, text in files.items() if name.startswith(_EMBEDDED_PREFIX)}


def read_http_sources(import_path: str) -> dict[str, bytes]:
    """Return the files of ``tracehttp``, which serves the recordings of the runtime."""
    files = _read_folder(resources.files("runtime_go").joinpath(_HTTP))
    own, imported = f'"{DEFAULT_IMPORT_PATH}"'.encode(), f'"{import_path}"'.encode()
    return {f"{_HTTP}/{name}": text.replace(own, imported) for name, text in files.items()}


def read_sender_sources() -> dict[str, bytes]:
    """Return the files of the sender's module by path, without tests."""
    return dict(_read_module(resources.files("runtime_go").joinpath(SENDER), ""))


def _read_module(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for name, content in _read_folder(folder, ".go", ".s", ".mod", ".sum").items():
        yield prefix + name, content
    for below in sorted(folder.iterdir(), key=lambda f: f.name):
        if below.is_dir() and below.name != "testdata":
            yield from _read_module(below, f"{prefix}{below.name}/")


def _read_folder(folder: Traversable, *endings: str) -> dict[str, bytes]:
    files = (f for f in folder.iterdir() if f.is_file())
    wanted = (
        f
        for f in files
        if f.name.endswith(endings or (".go", ".s")) and not f.name.endswith("_test.go")
    )
    return {f.name: f.read_bytes() for f in sorted(wanted, key=lambda f: f.name)}


def read_version(folder: Path) -> str | None:
    """Return the version of the functrace runtime in ``folder``, or None."""
    try:
        with (folder / "doc.go").open("rb") as file:
            match = _MARKER.match(file.readline())
    except OSError:
        return None
    return match[1].decode() if match else None


def add(folder: Path, http: str | None = None, *, sender: bool = False) -> list[Path]:
    """Write the runtime to ``folder``; return the files that were new or different.

    Args:
        folder: the directory, created if missing.
        http: import path of the directory, to add the ``tracehttp`` package; None to omit it.
        sender: whether to add the sender, as a separate module.

    Raises:
        FunctraceError: there is a file in place of the directory, or the directory contains other
            files, which are left unchanged.
    """
    in_the_way = next((path for path in (folder, *folder.parents) if path.is_file()), None)
    if in_the_way:
        raise FunctraceError(
            f"{in_the_way} is a file, not a directory for the functrace runtime: left unchanged;"
            " move it and run again"
        )
    if folder.exists() and any(folder.iterdir()) and not read_version(folder):
        raise FunctraceError(
            f"{folder} exists and is not the functrace runtime: left unchanged; move it and run"
            " again"
        )
    files = {
        **read_sources(),
        **(read_http_sources(http) if http else {}),
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
    return {f"{SENDER}/{name}": content for name, content in read_sender_sources().items()}


def remove(folder: Path, import_path: str) -> list[Path]:
    """Delete the runtime's files from ``folder``, and the directory if it is empty afterwards.

    Raises:
        FunctraceError: there is no runtime, or one of its files was modified.
    """
    if not read_version(folder):
        raise FunctraceError(f"{folder} holds no functrace runtime")
    files = {**read_sources(), **read_http_sources(import_path), **_sender_below()}
    own = {folder / name: content for name, content in files.items()}
    there = {path: content for path, content in own.items() if path.exists()}
    for path, content in there.items():
        if path.read_bytes() != content:
            raise FunctraceError(
                f"{path} is not as functrace {bundled_version()} wrote it: nothing removed"
            )
    # The marker goes last: an interrupted removal can be run again.
    for path in sorted(there, key=lambda p: p == folder / "doc.go"):
        path.unlink()
    places = {place for path in own for place in path.parents if place.is_relative_to(folder)}
    for place in sorted(places, key=lambda p: len(p.parts), reverse=True):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    return list(there)


def bundled_version() -> str:
    """Return the version of the runtime that :func:`add` writes."""
    match = _MARKER.match(read_sources()["doc.go"])
    return match[1].decode() if match else "?"
