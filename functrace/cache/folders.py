"""Selection and creation of cache directories that no other user can write to."""

from __future__ import annotations

import sys

from functrace.cache.trust import find_parent_risk, find_risk
from functrace.runtime.system import os

VARIABLE = "FUNCTRACE_CACHE"
PARTS = ("go", "python", "view")
_TEMPORARY = ("/tmp", "/var/tmp")
# Marks a directory whose content may be deleted. Source: https://bford.info/cachedir/
_TAG = "CACHEDIR.TAG"
_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55\n# A cache of functrace.\n"


class Choice:
    """A cache directory.

    Attributes:
        folder: its path, empty if no directory is usable.
        warning: a message for the user, or an empty string.
    """

    def __init__(self, folder: str, warning: str = "") -> None:
        self.folder = folder
        self.warning = warning


def choose(part: str) -> Choice:
    """Return the directory for ``part`` of the cache; create it if necessary.

    The cache is in FUNCTRACE_CACHE or in the system's cache directory. If that is unusable, for
    example because other users can write to it, the cache is in the temporary directory.
    """
    requested = os.environ.get(VARIABLE, "")
    first, second = _preferred_cache(requested), _temporary_cache()
    reason = make(os.path.join(first, part)) if first else "no home directory"
    if not reason:
        return Choice(os.path.join(first, part))
    second_reason = make(os.path.join(second, part))
    if second_reason:
        return Choice("", f"caching is disabled: {reason}; {second_reason}")
    warning = f"{VARIABLE}: {reason}; using {second} for the cache" if requested else ""
    return Choice(os.path.join(second, part), warning)


def make(folder: str) -> str:
    """Create ``folder`` for this user only; return why it is unusable, or an empty string."""
    try:
        _make_part(folder)
    except OSError as error:
        return f"{error.filename or folder}: {error.strerror}"
    reason = find_risk(folder)
    if not reason and not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is not writable"
    return reason


def make_private(folder: str) -> None:
    """Create ``folder`` and its missing parents, except where other users can write."""
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    make_private(parent)
    if not find_parent_risk(parent):
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            return  # another process created it first
        os.chmod(folder, 0o700)  # the umask may have removed bits


def _make_part(folder: str) -> None:
    """Create a directory for a part of the cache and tag it, unless it exists."""
    if os.path.isdir(folder):
        return
    make_private(folder)
    if not os.path.isdir(folder):
        return
    with open(os.path.join(folder, _TAG), "wb", opener=_open_private) as tag:
        tag.write(_SIGNATURE)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def own_parts() -> list[str]:
    """Return this user's cache directories that functrace created.

    FUNCTRACE_CACHE may name a directory with unrelated content, such as a home directory with Go's
    own ``go``, so only directories with functrace's tag are returned.
    """
    caches = (_preferred_cache(os.environ.get(VARIABLE, "")), _temporary_cache())
    parts = [os.path.join(cache, part) for cache in caches if cache for part in PARTS]
    return [part for part in parts if _is_own(part) and _is_tagged(part)]


def _is_tagged(folder: str) -> bool:
    try:
        with open(os.path.join(folder, _TAG), "rb") as tag:
            return tag.read() == _SIGNATURE
    except OSError:
        return False


def _is_own(folder: str) -> bool:
    try:
        return bool(os.lstat(folder).st_uid == os.geteuid())
    except OSError:
        return False


def make_temporary(prefix: str) -> str:
    """Create a directory with a unique name that begins with ``prefix``, safe from replacement.

    Raises:
        OSError: no temporary directory is usable.
    """
    requested = [os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    for parent in (*requested, *_TEMPORARY):
        folder = os.path.abspath(parent)
        if parent and not find_parent_risk(folder) and os.access(folder, os.W_OK | os.X_OK):
            path = os.path.join(folder, f"{prefix}{os.urandom(8).hex()}")
            os.mkdir(path, 0o700)
            os.chmod(path, 0o700)  # the umask may have removed bits
            return path
    raise OSError("no temporary directory is safe from other users; set TMPDIR to one that is")


def _temporary_cache() -> str:
    folder = os.path.abspath(os.environ.get("TMPDIR") or _TEMPORARY[0])
    return os.path.join(folder, f"functrace-{os.geteuid()}")


def _preferred_cache(requested: str) -> str:
    """Return an absolute path, or an empty string if there is no home directory."""
    if requested:
        return os.path.abspath(requested)
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):  # the XDG specification requires ignoring it
            base = os.path.join(home, ".cache")
    return os.path.join(base, "functrace") if os.path.isabs(base) else ""
