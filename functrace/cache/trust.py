"""Whether other users can change what a folder contains."""

from __future__ import annotations

import stat

from functrace.runtime.system import os

_MOST_LINKS = 40  # as Linux
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_SEARCHABLE = stat.S_IXGRP | stat.S_IXOTH


def distrust(folder: str) -> str:
    """Return why ``folder`` is not safe from other users, or an empty text.

    Every folder and link on the way is checked, as by OpenSSH's StrictModes: who can write to a
    folder can rename what is in it, unless the folder is sticky. What lies below a folder that
    only its owner can enter is out of reach for everybody else.

    Args:
        folder: an absolute path.
    """
    try:
        real, reason = _follow(folder)
        return reason or _distrust_leaf(real)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"


def distrust_parent(folder: str) -> str:
    """Return why others could replace a folder that this user makes in ``folder``, or nothing."""
    try:
        return _follow(folder)[1]
    except OSError as error:
        return f"{error.filename}: {error.strerror}"


def _distrust_leaf(folder: str) -> str:
    found = os.lstat(folder)
    if found.st_uid != os.geteuid():
        return f"{folder} belongs to another user"
    if found.st_mode & _WRITABLE:
        return f"{folder} can be written to by other users"
    return ""


def _follow(folder: str) -> tuple[str, str]:
    """Return where ``folder`` leads without links, and what on the way is not safe."""
    waiting, at, links, closed = folder.split("/")[::-1], "/", 0, False
    while waiting:
        name = waiting.pop()
        if name in ("", ".", ".."):
            at = os.path.dirname(at) if name == ".." else at
            continue
        path = os.path.join(at, name)
        found = os.lstat(path)
        reason = _distrust_step(path, found, closed)
        if reason:
            return path, reason
        if not stat.S_ISLNK(found.st_mode):
            at, closed = path, closed or not found.st_mode & _SEARCHABLE
            continue
        target = os.readlink(path)
        waiting += target.split("/")[::-1]
        at, links, closed = "/" if target[:1] == "/" else at, links + 1, False
        if links > _MOST_LINKS:
            return path, f"{folder} leads through too many links"
    return at, ""


def _distrust_step(path: str, found: os.stat_result, closed: bool) -> str:
    # Whoever owns the root of the file system could replace anything.
    if found.st_uid not in (0, os.geteuid(), os.stat("/").st_uid):
        return f"{path} belongs to another user"
    if stat.S_ISLNK(found.st_mode):
        return ""
    if not stat.S_ISDIR(found.st_mode):
        return f"{path} is not a folder"
    if found.st_mode & _WRITABLE and not found.st_mode & stat.S_ISVTX and not closed:
        return f"{path} can be written to by other users"
    return ""
