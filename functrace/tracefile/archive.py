"""Traces and other files in the zip files of bundles, which are read into memory."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from functrace import units
from functrace.errors import FunctraceError

_TRACE = ".ftrace"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_MAX_BYTES = 1 << 30
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
)
"""what zipfile raises for a damaged file"""


def is_archive(path: Path) -> bool:
    """Return whether a path has the name of a zip file."""
    return path.suffix == ".zip"


def read_archive(path: Path) -> memoryview:
    """Return the content of the only trace in a zip file.

    Raises:
        FunctraceError: the file is no zip file, or has no trace, several or one that is too large.
    """
    with _opened(path) as archive:
        member = _only_trace(path, archive.infolist())
        return memoryview(_content(archive, member))


def read_member(path: Path, name: str, max_bytes: int) -> bytes | None:
    """Return the content of the file of this name, in any folder; None if it is not there or large.

    Raises:
        FunctraceError: the file is no zip file, or damaged.
    """
    with _opened(path) as archive:
        for member in archive.infolist():
            is_named = PurePosixPath(member.filename).name == name
            if is_named and _is_readable(member) and member.file_size <= max_bytes:
                return _content(archive, member)
    return None


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _DAMAGE as error:
        raise FunctraceError(f"{path}: damaged zip file: {error}") from None
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror or error}") from None


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return the content of a file. ZipFile.read() would unpack more than the file declares."""
    with archive.open(member) as file:
        return file.read(member.file_size)


def _only_trace(path: Path, members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    traces = [member for member in members if member.filename.endswith(_TRACE)]
    if len(traces) != 1:
        found = f"{len(traces)} traces" if traces else "no trace"
        raise FunctraceError(f"{path}: {found} (*{_TRACE}) in this zip file; it must have one")
    (member,) = traces
    if not _is_readable(member):
        raise FunctraceError(f"{path}: {member.filename} cannot be unpacked; unpack it yourself")
    if member.file_size > _MAX_BYTES:
        size = units.size(member.file_size)
        raise FunctraceError(f"{path}: {member.filename} has {size}; unpack it first")
    return member


def _is_readable(member: zipfile.ZipInfo) -> bool:
    return member.compress_type in _METHODS and not member.flag_bits & _ENCRYPTED
