"""Traces in other programs' formats: a file for each, and a line in the table."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from functrace.trace import Trace

_WRITERS = {"jsonl": "functrace.export.jsonl"}

FORMATS = tuple(_WRITERS)


def pieces(trace: Trace, to: str) -> Iterator[bytes]:
    """What a file in the format holds, piece by piece."""
    written: Iterator[bytes] = importlib.import_module(_WRITERS[to]).pieces(trace)
    return written
