"""Exception type and message from the failure text of a call."""

from __future__ import annotations

import re

_TYPED = re.compile(r"([\w.<>]+)(?:: (.*))?", re.DOTALL)


def parse_failure(language: str, text: str, *, panic: bool) -> tuple[str, str]:
    """Return the exception type and message of a failed call.

    In Python the text begins with the exception type, like the last line of a traceback. The Go
    recorder stores the message of an error, but not its type.
    """
    if language == "python":
        found = _TYPED.fullmatch(text)
        if found:
            return found[1], found[2] or ""
    return "panic" if panic else "error", text
