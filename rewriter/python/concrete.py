"""The slow twin: where functions stand, as libcst sees it.

It decides where the positions of ``ast`` do not lead to a proof, and confirms them in tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from rewriter.python.errors import UNPROVEN, LeftAlone
from rewriter.python.source import Source


def starts(source: Source) -> dict[ast.AST, int]:
    """The offset of every ``def``, or of the ``async`` before it.

    Raises:
        LeftAlone: libcst is not there, does not give the file back byte for byte, or
            sees other functions.
    """
    offsets = list(_offsets(source.text[source.lines[0] :]))
    defs = [
        n for n in ast.walk(source.tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    defs.sort(key=source.start)
    if len(offsets) != len(defs):
        raise LeftAlone(UNPROVEN)
    return {node: source.lines[0] + at for node, at in zip(defs, offsets, strict=True)}


def _offsets(text: bytes) -> Iterable[int]:
    try:
        # Importing it takes longer than rewriting most files, and hardly any needs it.
        import libcst
        from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

        module = libcst.parse_module(text.decode())
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        spans = wrapper.resolve(ByteSpanPositionProvider)
    except Exception:  # noqa: BLE001 -- it may be absent, and on rare sources raises anything
        raise LeftAlone(UNPROVEN) from None
    if module.code.encode() != text:
        raise LeftAlone(UNPROVEN)
    return sorted(s.start for node, s in spans.items() if isinstance(node, libcst.FunctionDef))
