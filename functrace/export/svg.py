"""Call graph as an SVG picture, drawn by Graphviz."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from typing import BinaryIO

from functrace.analysis import Chains, fold
from functrace.errors import FunctraceError
from functrace.export import dot, process_names
from functrace.tracefile import Trace

_MAX_S = 300


def write(traces: Sequence[Trace], out: BinaryIO, limit: int = 80) -> None:
    """Write the combined call graph of all traces with at most ``limit`` functions; 0: all.

    Raises:
        FunctraceError: Graphviz is not installed or failed.
    """
    titles = list(map(process_names.title, traces))
    write_chains(titles, [fold(trace) for trace in traces], out, limit)


def write_chains(
    titles: Sequence[str], chains: Sequence[Chains], out: BinaryIO, limit: int = 80
) -> None:
    """Write the combined call graph of chains.

    Raises:
        FunctraceError: Graphviz is not installed or failed.
    """
    program = shutil.which("dot")
    if program is None:
        raise FunctraceError(
            "--to svg requires graphviz, whose program dot is not on PATH;"
            " install it or use --to dot"
        )
    graph = io.BytesIO()
    dot.write_chains(titles, chains, graph, limit)
    try:
        drawn = subprocess.run(
            [program, "-Tsvg"],
            input=graph.getvalue(),
            capture_output=True,
            check=False,
            timeout=_MAX_S,
        )
    except subprocess.TimeoutExpired:
        raise FunctraceError(
            f"dot did not draw the call graph within {_MAX_S} s; use --to dot, or fewer functions"
        ) from None
    if drawn.returncode:
        raise FunctraceError(f"dot failed: {drawn.stderr.decode(errors='replace').strip()}")
    out.write(drawn.stdout)
