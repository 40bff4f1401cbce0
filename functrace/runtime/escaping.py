"""Escaping of characters that are invisible or control the terminal.

Names, paths, arguments and error texts come from programs, traces, file systems and compilers. Each
may contain sequences that move the cursor, set the clipboard or reverse the reading direction. The
rule is defined in docs/security.md; the Go runtime and the Go sender implement it as well.
"""

from __future__ import annotations

from functrace.runtime import BUILTINS

globals()["__builtins__"] = BUILTINS

# Letters, marks and symbols without a glyph, except the emoji variation selectors U+FE0E and
# U+FE0F.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    "\U00013441\U00013442\U00016fe4\U0001d159"
    + "".join(map(chr, [*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0)]))
)
_LINE_SEPARATORS = "\u2028\u2029"
# A byte of a file name that is not valid UTF-8 is such a surrogate in Python.
_FIRST_BYTE, _LAST_BYTE = "\udc80", "\udcff"


def escape(text: str) -> str:
    r"""Return ``text`` on one line, with escapes such as ``\x1b``, ``\n`` or ``\u202e``.

    Escaping twice gives the same result.
    """
    if text.isprintable() and (text.isascii() or _INVISIBLE.isdisjoint(text)):
        return text
    return "".join([c if _is_visible(c) else _escape_character(c) for c in text])


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


def _escape_character(character: str) -> str:
    if _FIRST_BYTE <= character <= _LAST_BYTE:
        return f"\\x{ord(character) - 0xDC00:02x}"
    return ascii(character)[1:-1]
