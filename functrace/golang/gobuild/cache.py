"""Where functrace keeps files between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def root() -> Path:
    """``FUNCTRACE_CACHE``, or functrace's folder in the system's place for caches."""
    chosen = os.environ.get("FUNCTRACE_CACHE")
    if chosen:
        return Path(chosen).resolve()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "functrace"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "functrace"


def is_writable(folder: Path) -> bool:
    """Whether files can be kept in ``folder``, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
