"""What is in C, or absent, and then Python does the same.

A program that is traced loads this for the recorder; what the reader wants of it comes when asked.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functrace._native.reader import OUT_OF_MEMORY, Array, address, check, library

__all__ = ["OUT_OF_MEMORY", "Array", "address", "check", "library"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from functrace._native import reader

    found: object = getattr(reader, name)
    globals()[name] = found
    return found
