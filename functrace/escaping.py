"""Escaping of characters that are invisible or control the terminal.

Names, paths, arguments and error texts come from programs, traces, file systems and compilers. Each
may contain sequences that move the cursor, set the clipboard or reverse the reading direction.
"""

from __future__ import annotations

# Invisible letters and marks, except emoji variation selectors.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
_LINE_SEPARATORS = "\u2028\u2029"


def escape(text: str) -> str:
    r"""Return ``text`` on one line, with escapes such as ``\x1b``, ``\n`` or ``\u202e``.

    Escaping twice gives the same result.
    """
    if text.isprintable() and (text.isascii() or _INVISIBLE.isdisjoint(text)):
        return text
    return "".join(c if _is_visible(c) else _escaped(c) for c in text)


def escape_lines(text: str) -> str:
    """Escape ``text``, but keep line breaks and tabs."""
    return "\n".join(map(_escape_line, text.split("\n")))


def _escape_line(line: str) -> str:
    body = line.removesuffix("\r")
    return "\t".join(map(escape, body.split("\t"))) + line[len(body) :]


def _is_visible(character: str) -> bool:
    if character.isprintable():
        return character not in _INVISIBLE
    # str.isprintable is false for spaces other than U+0020.
    return character >= "\xa0" and character.isspace() and character not in _LINE_SEPARATORS


def _escaped(character: str) -> str:
    return ascii(character)[1:-1]
