"""The type and the message of an exception, of which a trace has one text."""

from __future__ import annotations

import re

_TYPED = re.compile(r"([\w.<>]+)(?:: (.*))?", re.DOTALL)


def failure(language: str, text: str, *, panic: bool) -> tuple[str, str]:
    """What a failed call is said to have met.

    In Python the text begins with the exception's type, as the last line of a traceback does.
    Go's recorder keeps what an error says, not its type.
    """
    if language == "python":
        found = _TYPED.fullmatch(text)
        if found:
            return found[1], found[2] or ""
    return "panic" if panic else "error", text
