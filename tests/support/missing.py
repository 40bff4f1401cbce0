"""What a test cannot have on this machine."""

from __future__ import annotations


class MissingError(Exception):
    """A program cannot be had here; the message is a sentence for the skipped test."""
