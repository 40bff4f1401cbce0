"""Names of bundles and of their files."""

from __future__ import annotations

import re
import zlib
from datetime import datetime, timezone
from pathlib import Path

from functrace.watch.firing import Firing

WHY = "why.json"
TRIAGE = "triage.txt"
PROCESS = "process.json"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*-\d+-\d{8}T\d{6}\.\d{3}Z-[A-Za-z0-9._-]+")
_MAX_PART = 64


def bundle_name(firing: Firing, number: int = 1) -> str:
    """Return ``NAME-PID-TIME-TRIGGER``, the same each time for a firing.

    Processes of two containers may have one name and process id; `number` distinguishes them.
    """
    at = datetime.fromtimestamp(round(firing.at, 3), timezone.utc)
    time = f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d}Z"
    process, trigger = _part(firing.process.name), _part(firing.trigger)
    suffix = f"-{number}" if number > 1 else ""
    return f"{process}-{firing.process.pid}-{time}-{trigger}{suffix}"


def is_bundle_name(name: str) -> bool:
    """Return whether a folder of this name may be a bundle."""
    return bool(_NAME.fullmatch(name))


def bundle_time(name: str) -> str:
    """Return the part of a bundle's name that orders bundles by age."""
    found = re.search(r"\d{8}T\d{6}\.\d{3}Z", name)
    return found[0] if found else ""


def trace_name(firing: Firing) -> str:
    """Return the name of the trace in a firing's bundle."""
    return f"{_part(firing.process.name)}-{firing.process.pid}.ftrace"


def partial(path: Path) -> Path:
    """Return the temporary name of a file or folder that is being written."""
    return path.with_name(f".{path.name}.partial")


def final(path: Path) -> Path | None:
    """Return the final name of a folder with a temporary name; None if it has no such name."""
    found = re.fullmatch(r"\.(.+)\.partial", path.name)
    return path.with_name(found[1]) if found else None


def archive_of(folder: Path) -> Path:
    """Return the path of a bundle's zip file."""
    return folder.with_name(f"{folder.name}.zip")


def _part(text: str) -> str:
    """Return a text in the characters of a bundle's name; a checksum keeps changed ones apart."""
    part = re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".-")[:_MAX_PART]
    return part if part == text else f"{part or '_'}_{zlib.crc32(text.encode()):08x}"
