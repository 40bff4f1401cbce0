"""The folder for the cache, which nobody else can write to."""

from __future__ import annotations

import sys

from functrace.cache.trust import distrust, distrust_parent
from functrace.runtime.system import os

VARIABLE = "FUNCTRACE_CACHE"
PARTS = ("go", "python")
_TEMPORARY = ("/tmp", "/var/tmp")
# Says that all in a folder may be deleted. Source: https://bford.info/cachedir/
_TAG = "CACHEDIR.TAG"
_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55\n# A cache of functrace.\n"


class Choice:
    """A folder, empty if there is none, and what the user should be told about the choice."""

    def __init__(self, folder: str, complaint: str = "") -> None:
        self.folder = folder
        self.complaint = complaint


def choose(part: str) -> Choice:
    """Return the folder for ``part`` of the cache, made if need be.

    The cache is where FUNCTRACE_CACHE says, or in the system's place for caches; if others can
    write to that, in a folder among the temporary files.
    """
    asked = os.environ.get(VARIABLE, "")
    first, second = _wanted(asked), _private()
    reason = make(os.path.join(first, part)) if first else "there is no home folder"
    if not reason:
        return Choice(os.path.join(first, part))
    other = make(os.path.join(second, part))
    if other:
        return Choice("", f"nothing is kept in a cache: {reason}; {other}")
    complaint = f"{VARIABLE}: {reason}; the cache is in {second}" if asked else ""
    return Choice(os.path.join(second, part), complaint)


def make(folder: str) -> str:
    """Make ``folder`` for this user alone; return why it cannot be used, or an empty text."""
    try:
        _make_part(folder)
    except OSError as error:
        return f"{error.filename or folder}: {error.strerror}"
    reason = distrust(folder)
    if not reason and not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} cannot be written to"
    return reason


def make_private(folder: str) -> None:
    """Make ``folder`` and what is missing above it, but nothing where others can write."""
    if os.path.isdir(folder):
        return
    above = os.path.dirname(folder)
    make_private(above)
    if not distrust_parent(above):
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            return  # another process was faster
        os.chmod(folder, 0o700)  # whatever the umask has removed


def _make_part(folder: str) -> None:
    """Make a folder for a part of the cache, and mark it as one unless it was there."""
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
    """Return the folders of this user that functrace has made for parts of the cache.

    FUNCTRACE_CACHE may name a folder that has other things in it, such as a home folder with Go's
    own ``go``: a part is what carries functrace's tag.
    """
    caches = (_wanted(os.environ.get(VARIABLE, "")), _private())
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
    """Make a folder with a new name that begins with ``prefix``, where nobody can replace it.

    Raises:
        OSError: there is no place for it.
    """
    asked = [os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    for above in (*asked, *_TEMPORARY):
        folder = os.path.abspath(above)
        if above and not distrust_parent(folder) and os.access(folder, os.W_OK | os.X_OK):
            path = os.path.join(folder, f"{prefix}{os.urandom(8).hex()}")
            os.mkdir(path, 0o700)
            os.chmod(path, 0o700)  # whatever the umask has removed
            return path
    raise OSError("no folder for temporary files is safe from other users; set TMPDIR to one")


def _private() -> str:
    folder = os.path.abspath(os.environ.get("TMPDIR") or _TEMPORARY[0])
    return os.path.join(folder, f"functrace-{os.geteuid()}")


def _wanted(asked: str) -> str:
    """Return an absolute path, or an empty text where nothing names one."""
    if asked:
        return os.path.abspath(asked)
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):  # which its specification has programs ignore
            base = os.path.join(home, ".cache")
    return os.path.join(base, "functrace") if os.path.isabs(base) else ""
