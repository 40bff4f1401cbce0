"""Traces in object stores, such as ``s3://bucket/traces/*.ftrace``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from functrace.errors import FunctraceError
from functrace.object_stores import is_url, open_url

_SUFFIX = ".ftrace"
_WILDCARDS = frozenset("*?[")
_MAX_REASON = 200


def find_urls(url: str) -> list[str]:
    """Return the traces that a URL names: a trace, a folder's ``*.ftrace`` or those of a pattern.

    Raises:
        FunctraceError: there are none, or the store cannot be read.
    """
    system, path = open_url(url, f"reading {url}")
    is_pattern = not _WILDCARDS.isdisjoint(path)
    if not is_pattern and path.endswith(_SUFFIX):
        return [url]
    with _errors(url):
        found = system.glob(path if is_pattern else f"{path}/*{_SUFFIX}")
    if not found:
        raise FunctraceError(f"{url}: no traces there")
    return sorted(str(system.unstrip_protocol(each)) for each in found)


@contextmanager
def local_copy(place: str) -> Iterator[Path]:
    """Yield the path of a trace; that of a URL is a copy, which is removed at the end.

    Raises:
        FunctraceError: the store cannot be read.
    """
    if not is_url(place):
        yield Path(place)
        return
    system, path = open_url(place, f"reading {place}")
    with tempfile.TemporaryDirectory(prefix="functrace-trace-") as folder:
        copy = Path(folder) / PurePosixPath(path).name
        with _errors(place):
            system.get_file(path, str(copy))
        yield copy


@contextmanager
def _errors(url: str) -> Iterator[None]:
    try:
        yield
    except FunctraceError:
        raise
    except Exception as error:  # noqa: BLE001 -- each file system of fsspec raises its own
        reason: Any = " ".join(str(error).split())[:_MAX_REASON] or type(error).__name__
        raise FunctraceError(f"{url}: {reason}") from None
