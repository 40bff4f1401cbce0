"""Text for XML."""

from __future__ import annotations

import re
from html import escape

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: str) -> str:
    """Escaped, and without the characters that XML cannot hold."""
    return escape(_FORBIDDEN.sub("\ufffd", value))
