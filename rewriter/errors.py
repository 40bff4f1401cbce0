"""What can be wrong with a source."""

from __future__ import annotations


class SourceError(Exception):
    """A source that cannot be rewritten; the file must stay as it is.

    Attributes:
        line: where, from 1.
        column: where in that line, in bytes from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.message = message
        self.line = line
        self.column = column

    def __reduce__(self) -> tuple[type[SourceError], tuple[str, int, int]]:
        """Errors come back from worker processes."""
        return SourceError, (self.message, self.line, self.column)
