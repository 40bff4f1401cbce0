"""Memory limit of a process from its cgroup, version 1 or 2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_NO_LIMIT = 1 << 60  # version 1 has the highest multiple of a page for no limit
_FILES = {"cgroup": "memory.limit_in_bytes", "cgroup2": "memory.max"}
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class _Mount:
    """Mount of a hierarchy: `root` is the cgroup that is seen at `point`."""

    kind: str
    root: PurePosixPath
    point: PurePosixPath


def memory_limit_bytes(pid: int, root: Path = Path("/")) -> int | None:
    """Return the lowest memory limit of a process's cgroup and those around it.

    None if there is none, or if it cannot be read. The cgroups of a process in another container
    are read through that container's mounts if this process's own do not contain them.

    Args:
        pid: process id.
        root: root of the file system.
    """
    try:
        kind, cgroup = _memory_cgroup((root / f"proc/{pid}/cgroup").read_text())
    except (OSError, ValueError):
        return None
    for viewer, seen in (("self", root), (str(pid), root / f"proc/{pid}/root")):
        for mount in _mounts(root / f"proc/{viewer}/mountinfo"):
            if mount.kind == kind and cgroup.is_relative_to(mount.root):
                folder = seen / mount.point.relative_to("/")
                limits = _limits(folder, cgroup.relative_to(mount.root), _FILES[kind])
                if limits is not None:
                    return min(limits, default=None)
    return None


def _memory_cgroup(text: str) -> tuple[str, PurePosixPath]:
    """Return the version that limits memory and the path of the cgroup from /proc/PID/cgroup."""
    unified = None
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return "cgroup", PurePosixPath(path)
        if not controllers:
            unified = PurePosixPath(path)
    if unified is None:
        raise ValueError("no cgroup")
    return "cgroup2", unified


def _mounts(path: Path) -> Iterator[_Mount]:
    try:
        lines = path.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.partition(" ")
        if kind == "cgroup2" or (
            kind == "cgroup" and "memory" in options.split(" ")[-1].split(",")
        ):
            columns = [_unescaped(field) for field in fields.split(" ")]
            if len(columns) > 4:
                yield _Mount(kind, PurePosixPath(columns[3]), PurePosixPath(columns[4]))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)


def _limits(folder: Path, cgroup: PurePosixPath, name: str) -> list[int] | None:
    """Return the limits of a cgroup and those around it; None if it is not in this folder."""
    if ".." in cgroup.parts or not (folder / cgroup).is_dir():
        return None
    limits = []
    for each in (cgroup, *cgroup.parents):
        try:
            text = (folder / each / name).read_text().strip()
        except OSError:  # the root has none
            continue
        if text.isdigit() and int(text) < _NO_LIMIT:
            limits.append(int(text))
    return limits
