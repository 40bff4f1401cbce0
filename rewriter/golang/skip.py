"""Functions that must be left alone whatever the filters say, and files likewise."""

from __future__ import annotations

import re

from rewriter.golang import grammar
from rewriter.golang.functions import GoFunction
from rewriter.golang.tokens import comments, header_end

# A defer needs stack and a running goroutine; these promise to need neither.
_PRAGMAS = (b"//go:nosplit", b"//go:systemstack")
# A function that others link to by name may be called where these promises hold.
_LINKNAME = re.compile(rb"(//go:linkname(?:std)?)[ \t]+(\S+)")
_EXPORT = b"//export"
_SKIP = b"//functrace:skip"
_SKIP_FILE = re.compile(rb"//functrace:skip-file\b")
_BOM = b"\xef\xbb\xbf"
# A syntax tree takes 60 times the memory of its source.
MAX_BYTES = 16 << 20
# Source: https://go.dev/s/generatedcode
_GENERATED = re.compile(rb"^// Code generated .* DO NOT EDIT\.\r?$", re.MULTILINE)


def file_reason(source: bytes, *, skip_generated: bool) -> str | None:
    """Why the file as a whole is left alone, or None."""
    if len(source) > MAX_BYTES:
        return f"larger than {MAX_BYTES >> 20} MiB"
    if b"functrace:skip-file" in source and any(
        _SKIP_FILE.match(c) and source[:start].removeprefix(_BOM)[-1:] in (b"", b"\n")
        for start, c in comments(source)
    ):
        return "//functrace:skip-file"
    if skip_generated and _GENERATED.search(source[: header_end(source)].removeprefix(_BOM)):
        return "generated"
    return None


class Rules:
    """Why functions of one source are left alone; what no directive names is not looked for."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._has_pragmas = b"//go:" in source
        self._linked = _linked(source) if b"//go:linkname" in source else {}
        self._has_skips = _SKIP in source

    def reason(self, function: GoFunction) -> str | None:
        """Why ``function`` is left alone, or None."""
        if function.open < 0:
            return "no body"
        if function.function.name.rpartition(".")[2] == "_":
            return "blank name"
        pragma = self._pragma(function) if self._has_pragmas else None
        if pragma is None and self._has_skips and _is_told_to_skip(self._source, function):
            return _SKIP.decode()
        return pragma

    def _pragma(self, function: GoFunction) -> str | None:
        comments = [grammar.text(comment) for comment in function.comments]
        for pragma in _PRAGMAS:
            if any(_is_directive(comment, pragma) for comment in comments):
                return pragma.decode()
        return self._linked.get(function.function.name)


def _linked(source: bytes) -> dict[str, str]:
    """The directive that names a function for the linker, by the names of these functions."""
    found = (_LINKNAME.match(comment) for _, comment in comments(source))
    return {m[2].decode(errors="replace"): m[1].decode() for m in found if m}


def is_exported_to_c(source: bytes, function: GoFunction) -> bool:
    """Whether cgo writes a C header for the function."""
    if function.is_literal or _EXPORT not in source:
        return False
    above = [grammar.text(comment) for comment in function.comments]
    above += _own_comment(source, function.start).splitlines()
    return any(_is_directive(line, _EXPORT) for line in above)


def _is_directive(comment: bytes, directive: bytes) -> bool:
    return comment.split(None, 1)[0] == directive


def _own_comment(source: bytes, start: int) -> bytes:
    """The comment lines directly above the line of ``start``."""
    lines: list[bytes] = []
    end = source.rfind(b"\n", 0, start)
    while end >= 0:
        begin = source.rfind(b"\n", 0, end) + 1
        line = source[begin:end].strip()
        if not line.startswith(b"//"):
            break
        lines.append(line)
        end = begin - 1
    return b"\n".join(lines)


def _is_told_to_skip(source: bytes, function: GoFunction) -> bool:
    """Whether the comment above the function, or one behind its brace, says so."""
    end_of_line = source.find(b"\n", function.open)
    behind = source[function.open + 1 : end_of_line if end_of_line >= 0 else len(source)]
    above = _own_comment(source, function.start).split(b"\n")
    return any(_is_directive(line, _SKIP) for line in (*above, behind.strip()) if line)
