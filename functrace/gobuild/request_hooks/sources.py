"""Go files that are added to hooked packages."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def read_sources() -> dict[str, bytes]:
    """Return the files by name."""
    folder = resources.files(__package__).joinpath("go")
    return {f.name: f.read_bytes() for f in folder.iterdir() if f.name.endswith(".go")}
