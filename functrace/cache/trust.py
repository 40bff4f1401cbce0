"""Checks that no other user can modify a directory's content."""

from __future__ import annotations

import stat

from functrace.runtime.system import os

_MAX_LINKS = 40  # as in Linux
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_SEARCHABLE = stat.S_IXGRP | stat.S_IXOTH


def find_risk(folder: str) -> str:
    """Return why ``folder`` is not safe from other users, or an empty string.

    Every directory and link on the path is checked, as by OpenSSH's StrictModes: a user who can
    write to a directory can rename its entries, unless the directory is sticky. Other users cannot
    reach anything below a directory that only its owner can enter.

    Args:
        folder: an absolute path.
    """
    try:
        real, reason = _follow(folder)
        return reason or _find_leaf_risk(real)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"


def find_parent_risk(folder: str) -> str:
    """Return why others could replace a directory created in ``folder``, or an empty string."""
    try:
        return _follow(folder)[1]
    except OSError as error:
        return f"{error.filename}: {error.strerror}"


def _find_leaf_risk(folder: str) -> str:
    found = os.lstat(folder)
    if found.st_uid != os.geteuid():
        return f"{folder} belongs to another user"
    if found.st_mode & _WRITABLE:
        return f"{folder} is writable by other users"
    return ""


def _follow(folder: str) -> tuple[str, str]:
    """Return the path of ``folder`` with links resolved, and why a step of it is unsafe."""
    pending, at, links, closed = folder.split("/")[::-1], "/", 0, False
    while pending:
        name = pending.pop()
        if name in ("", ".", ".."):
            at = os.path.dirname(at) if name == ".." else at
            continue
        path = os.path.join(at, name)
        found = os.lstat(path)
        reason = _find_step_risk(path, found, closed)
        if reason:
            return path, reason
        if not stat.S_ISLNK(found.st_mode):
            at, closed = path, closed or not found.st_mode & _SEARCHABLE
            continue
        target = os.readlink(path)
        pending += target.split("/")[::-1]
        at, links, closed = "/" if target[:1] == "/" else at, links + 1, False
        if links > _MAX_LINKS:
            return path, f"{folder} has too many symbolic links"
    return at, ""


def _find_step_risk(path: str, found: os.stat_result, closed: bool) -> str:
    # The owner of the file system's root can replace anything.
    if found.st_uid not in (0, os.geteuid(), os.stat("/").st_uid):
        return f"{path} belongs to another user"
    if stat.S_ISLNK(found.st_mode):
        return ""
    if not stat.S_ISDIR(found.st_mode):
        return f"{path} is not a directory"
    if found.st_mode & _WRITABLE and not found.st_mode & stat.S_ISVTX and not closed:
        return f"{path} is writable by other users"
    return ""
