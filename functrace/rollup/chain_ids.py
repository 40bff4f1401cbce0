"""Ids of call chains, which are the same in all processes and releases."""

from __future__ import annotations

import hashlib

from functrace.tracefile.facts import encodable

ID_BYTES = 16
NO_PARENT = bytes(ID_BYTES)
"""the parent of a chain's outermost function"""
_CALL, _START = b"\0", b"\1"


def chain_id(parent: bytes, function: str, *, started: bool) -> bytes:
    """Return the id of a chain: the first 16 bytes of the SHA-256 of what defines it.

    Args:
        parent: the id of the caller's chain, or NO_PARENT.
        function: the name of the innermost function.
        started: whether the function runs on another track, which the caller started.
    """
    edge = _START if started else _CALL
    name = encodable(function).encode()
    return hashlib.sha256(parent + edge + name).digest()[:ID_BYTES]
