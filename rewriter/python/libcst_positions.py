"""Positions of functions according to libcst: a slow fallback for those of ``ast``.

It is used if the positions of ``ast`` do not lead to a proof, and confirms them in tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from rewriter.errors import UNPROVEN, SkipFile
from rewriter.python.parse import ParsedSource


def find_starts(source: ParsedSource) -> dict[ast.AST, int]:
    """Return the offset of every ``def``, or of the ``async`` before it.

    Raises:
        SkipFile: libcst is not installed, does not restore the file byte for byte, or
            finds other functions.
    """
    offsets = list(_find_offsets(source.text[source.line_starts[0] :]))
    defs = [
        n for n in ast.walk(source.tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    defs.sort(key=source.get_start)
    if len(offsets) != len(defs):
        raise SkipFile(UNPROVEN)
    return {n: source.line_starts[0] + start for n, start in zip(defs, offsets, strict=True)}


def _find_offsets(text: bytes) -> Iterable[int]:
    try:
        # Importing it takes longer than rewriting most files, and hardly any file needs it.
        import libcst
        from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

        module = libcst.parse_module(text.decode())
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        spans = wrapper.resolve(ByteSpanPositionProvider)
    except Exception:  # noqa: BLE001 -- it may not be installed, and can raise anything
        raise SkipFile(UNPROVEN) from None
    if module.code.encode() != text:
        raise SkipFile(UNPROVEN)
    return sorted(s.start for node, s in spans.items() if isinstance(node, libcst.FunctionDef))
