"""The call graph as a picture: graphviz draws it."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from typing import BinaryIO

from functrace.errors import FunctraceError
from functrace.export import dot
from functrace.trace import Trace


def write(traces: Sequence[Trace], out: BinaryIO, limit: int = 80) -> None:
    """Write the call graph of all traces taken together; limit: so many functions, 0: all.

    Raises:
        FunctraceError: graphviz is not there, or failed.
    """
    program = shutil.which("dot")
    if program is None:
        raise FunctraceError(
            "graphviz draws the call graph, and its program dot is not on PATH;"
            " install it, or export --to dot"
        )
    graph = io.BytesIO()
    dot.write(traces, graph, limit)
    drawn = subprocess.run(
        [program, "-Tsvg"], input=graph.getvalue(), capture_output=True, check=False
    )
    if drawn.returncode:
        raise FunctraceError(f"dot failed: {drawn.stderr.decode(errors='replace').strip()}")
    out.write(drawn.stdout)
