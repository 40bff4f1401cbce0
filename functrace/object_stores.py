"""Object stores such as ``s3://bucket/prefix``, through fsspec."""

from __future__ import annotations

from typing import Any

from functrace import extras
from functrace.errors import FunctraceError

# botocore waits for minutes by default; callers try again themselves.
_S3_LIMITS = {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 1}}
# They have no folders. makedirs() would ask for the bucket, and create one of a mistyped name.
_WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"}
_OPTIONS: dict[str, dict[str, Any]] = {"s3": {"config_kwargs": _S3_LIMITS}}


def is_url(place: str) -> bool:
    """Return whether a place is a URL, not a path."""
    return "://" in place


def open_url(url: str, purpose: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path there without a slash at its end.

    Raises:
        FunctraceError: a package that the URL requires is missing, or the URL is invalid.
    """
    extras.require("fsspec", "watch", purpose)
    import fsspec

    protocol = url.partition("://")[0]
    extra = "s3" if protocol == "s3" else "watch"
    try:
        system, prefix = fsspec.core.url_to_fs(url, **_OPTIONS.get(protocol, {}))
    except ImportError as error:
        raise FunctraceError(
            f"{url}: {error}; functrace has it in an extra: {extras.install_command(extra)}"
        ) from None
    except ValueError as error:
        raise FunctraceError(f"{url}: {error}") from None
    return system, prefix.rstrip("/")


def make_folder(system: Any, path: str) -> None:
    """Make a folder and those above it, if a file system of fsspec has folders."""
    protocols = system.protocol
    names = {protocols} if isinstance(protocols, str) else set(protocols)
    if not names & _WITHOUT_FOLDERS:
        system.makedirs(path, exist_ok=True)
