"""Exceptions of the rewriters."""

from __future__ import annotations

TOO_DEEP = "nested too deeply for Python's own compiler"
ENCODING = "its encoding does not give the same bytes back"
UNPROVEN = "the result could not be proven to be the same program"


class SourceError(Exception):
    """Syntax error in a source, which must then stay unchanged.

    Attributes:
        line: line of the error, from 1.
        column: column in bytes, from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.message = message
        self.line = line
        self.column = column

    def __reduce__(self) -> tuple[type[SourceError], tuple[str, int, int]]:
        """Support pickling: worker processes send errors back."""
        return SourceError, (self.message, self.line, self.column)


class SkipFile(Exception):  # noqa: N818 -- like unittest.SkipTest it is no error
    """Request to leave a valid file unchanged; ``reason`` is shown in the report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
