"""Files of a store: in a folder, or under a prefix of an object store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from functrace.errors import FunctraceError
from functrace.object_stores import is_url, make_folder, open_url

MAX_FILE_BYTES = 4 << 30
_PARTIAL = ".partial"
_MAX_REASON = 200
_ATTEMPTS = 20


class StoreFiles(Protocol):
    """Files of a store by their paths in it, such as ``chains/service=shop/x.parquet``.

    A file appears whole or not at all. All methods raise FunctraceError if the store fails.

    Attributes:
        system: file system of fsspec that has the files; None for those of a folder.
    """

    system: Any

    def address(self, path: str) -> str:
        """Return the absolute path or the URL of a file."""

    def open(self, path: str) -> BinaryIO | None:
        """Open a file to read parts of it, or return None if it does not exist."""

    def list(self, folder: str) -> list[str]:
        """Return the names of files and folders in a folder; none if it does not exist."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes in bytes of what list() returns, by name."""

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None if it does not exist."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file, or replace it."""

    def remove(self, path: str) -> None:
        """Remove a file if it exists."""


def open_files(place: str) -> StoreFiles:
    """Return the files of a store in a folder or at a URL such as ``s3://bucket/prefix``."""
    return _ObjectFiles(place) if is_url(place) else _FolderFiles(Path(place))


class _FolderFiles:
    """Files in a folder, which are complete on the disk before they have their name."""

    system = None

    def __init__(self, root: Path) -> None:
        self._root = root

    def address(self, path: str) -> str:
        return str(self._root.absolute() / path)

    def open(self, path: str) -> BinaryIO | None:
        place = self._root / path
        with _as_store_error(place):
            try:
                descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except FileNotFoundError:
                return None
            return open(descriptor, "rb")

    def list(self, folder: str) -> list[str]:
        path = self._root / folder
        with _as_store_error(path):
            try:
                return sorted(each.name for each in path.iterdir())
            except (FileNotFoundError, NotADirectoryError):
                return []

    def sizes(self, folder: str) -> dict[str, int]:
        found = {}
        for name in self.list(folder):
            path = self._root / folder / name
            with _as_store_error(path), suppress(FileNotFoundError):
                found[name] = path.lstat().st_size
        return found

    def read(self, path: str) -> bytes | None:
        place = self._root / path
        file = self.open(path)
        if file is None:
            return None
        with _as_store_error(place), file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise FunctraceError(f"{place}: the file is too large")
            return file.read()

    def write(self, path: str, content: bytes) -> None:
        place = self._root / path
        temporary = place.with_name(f".{place.name}.{os.getpid()}{_PARTIAL}")
        with _as_store_error(place):
            _make_folder(place.parent, temporary)
            try:
                with open(temporary, "wb", opener=_open_own) as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(place)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            _sync_folder(place.parent)

    def remove(self, path: str) -> None:
        place = self._root / path
        with _as_store_error(place):
            place.unlink(missing_ok=True)
            try:
                place.parent.rmdir()
            except OSError:  # it has other files
                return


def _open_own(path: str, flags: int) -> int:
    return os.open(path, flags & ~os.O_CREAT | os.O_NOFOLLOW)


def _make_folder(folder: Path, file: Path) -> None:
    """Make a folder with an empty file, which keeps others from removing the folder."""
    for _ in range(_ATTEMPTS):
        folder.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        try:
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))
            return
        except FileNotFoundError:  # a compaction has just removed the empty folder
            continue
    raise FunctraceError(f"{folder}: the folder is removed again and again")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _as_store_error(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FunctraceError(f"{place}: {error.strerror or error}") from None


class _ObjectFiles:
    """Objects under a prefix. A store shows an object once all of it was received."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self.system: Any
        self.system, self._prefix = open_url(self._url, f"a store at {self._url}")

    def address(self, path: str) -> str:
        return str(self.system.unstrip_protocol(f"{self._prefix}/{path}"))

    def open(self, path: str) -> BinaryIO | None:
        with self._errors(path):
            try:
                opened: BinaryIO = self.system.open(f"{self._prefix}/{path}", "rb")
            except FileNotFoundError:
                return None
            return opened

    def list(self, folder: str) -> list[str]:
        return sorted(self.sizes(folder))

    def sizes(self, folder: str) -> dict[str, int]:
        with self._errors(folder):
            self.system.invalidate_cache()
            try:
                found = self.system.ls(f"{self._prefix}/{folder}".rstrip("/"), detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return {}
        return {
            str(each["name"]).rstrip("/").rpartition("/")[2]: each.get("size") or 0
            for each in found
        }

    def read(self, path: str) -> bytes | None:
        place = f"{self._prefix}/{path}"
        with self._errors(path):
            try:
                size = self.system.info(place).get("size") or 0
                if size > MAX_FILE_BYTES:
                    raise FunctraceError(f"{self._url}/{path}: the file is too large")
                return bytes(self.system.cat_file(place))
            except FileNotFoundError:
                return None

    def write(self, path: str, content: bytes) -> None:
        with self._errors(path):
            place = f"{self._prefix}/{path}"
            make_folder(self.system, place.rpartition("/")[0])
            self.system.pipe_file(place, content)

    def remove(self, path: str) -> None:
        with self._errors(path):
            try:
                self.system.rm_file(f"{self._prefix}/{path}")
            except FileNotFoundError:
                return

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except FunctraceError:
            raise
        except Exception as error:  # noqa: BLE001 -- each file system of fsspec raises its own
            reason = " ".join(str(error).split())[:_MAX_REASON] or type(error).__name__
            raise FunctraceError(f"{self._url}/{path}: {reason}") from None
