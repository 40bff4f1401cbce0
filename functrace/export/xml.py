"""Escaping of text for XML."""

from __future__ import annotations

from html import escape

from functrace.runtime.escaping import escape_lines


def text(value: str) -> str:
    """Return ``value`` escaped; characters that XML cannot contain become visible escapes."""
    return escape(escape_lines(value))
