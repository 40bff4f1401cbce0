"""Layout of a store: tables, partitions by service and hour, and names of files."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass
from datetime import datetime, timezone

TABLES = ("processes", "chains")
"""in the order in which they are written: a rollup exists once its chains do"""

_MAX_WRITTEN = (1 << 63) - 1
_FILE = re.compile(r"([0-9a-f]{16})-([0-9]{1,19})(\.compacted)?\.parquet")
_HOUR = re.compile(r"hour=([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})")
_HOUR_FORMAT = "%Y-%m-%dT%H"
_MAX_PARTITION_BYTES = 200


@dataclass(frozen=True, order=True)
class Partition:
    """Rollups of one service in one hour."""

    service: str
    hour: str
    """UTC, such as 2026-11-27T15"""

    @property
    def folder(self) -> str:
        """Folder in each table."""
        return f"service={urllib.parse.quote(self.service, safe='')}/hour={self.hour}"

    @property
    def start(self) -> datetime:
        """Start of the hour."""
        return datetime.strptime(self.hour, _HOUR_FORMAT).replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class StoredFile:
    """File of a table in a partition: the rollup of one recording, or those of several.

    Attributes:
        partition: its partition.
        name: its name, which is the same in both tables.
        recording: id of the recording; of a compacted file, an id of its contents.
        written: when it was written, in nanoseconds since 1970. Of two rollups of a recording, the
            later one counts.
        is_compacted: whether it has the rollups of several recordings.
    """

    partition: Partition
    name: str
    recording: str
    written: int
    is_compacted: bool

    def path(self, table: str) -> str:
        """Return its path in the store."""
        return f"{table}/{self.partition.folder}/{self.name}"


def new_file(
    partition: Partition, recording: str, written: int, *, is_compacted: bool = False
) -> StoredFile:
    """Return a file with the name that belongs to it."""
    name = f"{recording}-{written}{'.compacted' if is_compacted else ''}.parquet"
    return StoredFile(partition, name, recording, written, is_compacted)


def partition_of(service: str, time_ns: int) -> Partition:
    """Return the partition of a service and a time. Long names are cut for the file system."""
    while len(urllib.parse.quote(service, safe="")) > _MAX_PARTITION_BYTES:
        service = service[:-1]
    hour = datetime.fromtimestamp(time_ns // 1_000_000_000, timezone.utc).strftime(_HOUR_FORMAT)
    return Partition(service, hour)


def parse_service(folder: str) -> str | None:
    """Return the service of a folder such as ``service=shop``; None for another folder."""
    name, separator, service = folder.partition("=")
    return urllib.parse.unquote(service) if name == "service" and separator and service else None


def parse_partition(service_folder: str, hour_folder: str) -> Partition | None:
    """Return the partition of two folders; None for folders that functrace does not write."""
    service, match = parse_service(service_folder), _HOUR.fullmatch(hour_folder)
    if service is None or match is None:
        return None
    partition = Partition(service, match[1])
    try:
        partition.start  # noqa: B018  it checks the date
    except ValueError:
        return None
    # Of several spellings of a name, one is valid: otherwise, a folder would be read twice.
    return partition if partition.folder == f"{service_folder}/{hour_folder}" else None


def parse_file(partition: Partition, name: str) -> StoredFile | None:
    """Return the file of a name; None for files that functrace does not write."""
    match = _FILE.fullmatch(name)
    if match is None or int(match[2]) > _MAX_WRITTEN:
        return None
    return StoredFile(partition, name, match[1], int(match[2]), bool(match[3]))
