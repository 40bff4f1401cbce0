"""Why a valid file is left alone."""

from __future__ import annotations

TOO_DEEP = "nested too deeply for Python's own compiler"
ENCODING = "its encoding does not give the same bytes back"
UNPROVEN = "the result could not be proven to be the same program"


class LeftAlone(Exception):  # noqa: N818 -- it is no error of anybody's
    """A file that nothing is done to; ``reason`` says why, in words for the report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
