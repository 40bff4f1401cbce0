"""Rules by which functions and files are skipped regardless of the filters."""

from __future__ import annotations

import re

from rewriter.golang import grammar
from rewriter.golang.functions import GoFunction
from rewriter.golang.tokens import find_comments, find_first_code

# A defer needs stack and a running goroutine; functions with these pragmas must do without.
_PRAGMAS = (b"//go:nosplit", b"//go:systemstack")
# A function that others link to by name may be called from code with these restrictions.
_LINKNAME = re.compile(rb"(//go:linkname(?:std)?)[ \t]+(\S+)")
_EXPORT = b"//export"
_SKIP = b"//functrace:skip"
_SKIP_FILE = re.compile(rb"//functrace:skip-file\b")
_BOM = b"\xef\xbb\xbf"
# A syntax tree takes 60 times the memory of its source.
MAX_BYTES = 16 << 20
# Source: https://go.dev/s/generatedcode
_GENERATED = re.compile(rb"^// Code generated .* DO NOT EDIT\.\r?$", re.MULTILINE)


def get_file_skip_reason(source: bytes, *, skip_generated: bool) -> str | None:
    """Return why the whole file is skipped, or None."""
    if len(source) > MAX_BYTES:
        return f"larger than {MAX_BYTES >> 20} MiB"
    if b"functrace:skip-file" in source and any(
        _SKIP_FILE.match(c) and source[:start].removeprefix(_BOM)[-1:] in (b"", b"\n")
        for start, c in find_comments(source)
    ):
        return "//functrace:skip-file"
    if skip_generated and _GENERATED.search(source[: find_first_code(source)].removeprefix(_BOM)):
        return "generated"
    return None


class Rules:
    """Skip rules for the functions of one source."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._has_pragmas = b"//go:" in source
        self._linked = _find_linked(source) if b"//go:linkname" in source else {}
        self._has_skips = _SKIP in source

    def get_skip_reason(self, function: GoFunction) -> str | None:
        """Return why ``function`` is skipped, or None."""
        if function.open < 0:
            return "no body"
        if function.function.name.rpartition(".")[2] == "_":
            return "blank name"
        pragma = self._get_pragma(function) if self._has_pragmas else None
        if pragma is None and self._has_skips and _has_skip_directive(self._source, function):
            return _SKIP.decode()
        return pragma

    def _get_pragma(self, function: GoFunction) -> str | None:
        comments = [grammar.text(comment) for comment in function.comments]
        for pragma in _PRAGMAS:
            if any(_is_directive(comment, pragma) for comment in comments):
                return pragma.decode()
        return self._linked.get(function.function.name)


def _find_linked(source: bytes) -> dict[str, str]:
    """Map the names of functions that a linkname directive mentions to that directive."""
    found = (_LINKNAME.match(comment) for _, comment in find_comments(source))
    return {m[2].decode(errors="replace"): m[1].decode() for m in found if m}


def is_exported_to_c(source: bytes, function: GoFunction) -> bool:
    """Return whether cgo writes a C header for the function."""
    if function.is_literal or _EXPORT not in source:
        return False
    above = [grammar.text(comment) for comment in function.comments]
    above += _get_comment_above(source, function.start)
    return any(_is_directive(line, _EXPORT) for line in above)


def _is_directive(comment: bytes, directive: bytes) -> bool:
    return comment.split(None, 1)[0] == directive


def _get_comment_above(source: bytes, start: int) -> list[bytes]:
    """Return the comment lines directly above the line of ``start``, last line first."""
    lines: list[bytes] = []
    end = source.rfind(b"\n", 0, start)
    while end >= 0:
        begin = source.rfind(b"\n", 0, end) + 1
        line = source[begin:end].strip()
        if not line.startswith(b"//"):
            break
        lines.append(line)
        end = begin - 1
    return lines


def _has_skip_directive(source: bytes, function: GoFunction) -> bool:
    """Return whether a skip directive is above the function or after its brace."""
    end_of_line = source.find(b"\n", function.open)
    after = source[function.open + 1 : end_of_line if end_of_line >= 0 else len(source)]
    lines = (*_get_comment_above(source, function.start), after.strip())
    return any(_is_directive(line, _SKIP) for line in lines if line)
