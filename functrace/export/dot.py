"""Call graph in Graphviz's DOT language: one box per function, one arrow per caller and callee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from functrace import units
from functrace.export import processes
from functrace.export.callgraph import CallGraph, Edge, call_graph
from functrace.globs import short_name
from functrace.runtime.escaping import escape
from functrace.tracefile import Trace

_HEAD = """digraph calls {
  graph [fontname="Helvetica", labelloc=t, labeljust=l, nodesep=0.25, ranksep=0.45, label=%s];
  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", color="#8c959f"];
  edge [fontname="Helvetica", fontsize=9, color="#8c959f", fontcolor="#59636e", arrowsize=0.7];
"""


def write(traces: Sequence[Trace], out: BinaryIO, limit: int = 80) -> None:
    """Write the combined call graph of all traces with at most ``limit`` functions; 0: all."""
    title = escape(", ".join(map(processes.title, traces[:3])))
    out.writelines(line.encode() for line in lines(call_graph(traces, limit), title))


def lines(graph: CallGraph, title: str) -> Iterator[str]:
    """Yield the graph in the DOT language."""
    omitted = f"; {units.several(graph.left_out, 'function')} omitted" if graph.left_out else ""
    yield _HEAD % _quoted(f"{title}{omitted}\nred: calls that failed; dashed: on a new track")
    own = max((int(graph.functions.self[index]) for index in graph.shown), default=0)
    for index in graph.shown:
        yield _box(graph, index, own)
    most = max((edge.total for edge in graph.edges), default=0)
    for edge in graph.edges:
        yield _arrow(edge, most)
    yield "}\n"


def _box(graph: CallGraph, index: int, most: int) -> str:
    found = graph.functions
    function = found.functions[index]
    calls, failed = int(found.calls[index]), int(found.errors[index] + found.panics[index])
    own = int(found.self[index])
    label = [
        escape(short_name(function.name)),
        units.several(calls, "call"),
        f"{units.duration(own)} of {units.duration(int(found.total[index]))}",
    ]
    if failed:
        label.append(f"{units.count(failed)} failed ({units.share(failed, calls)})")
    attributes = {
        "label": "\n".join(label),
        "tooltip": f"{escape(function.name)}\n{escape(function.file)}:{function.line}",
        "fillcolor": "#ffc9c2" if failed else _heat(own, most),
        "color": "#cf222e" if failed else "#8c959f",
        "fontsize": f"{10 + 8 * _root(own, most):.1f}",
    }
    return f"  f{index} [{_listed(attributes)}];\n"


def _arrow(edge: Edge, most: int) -> str:
    attributes = {
        "label": f"{units.several(edge.calls, 'call')}\n{units.duration(edge.total)}",
        "penwidth": f"{1 + 4 * _root(edge.total, most):.2f}",
    }
    if edge.failed:
        attributes |= {"color": "#cf222e", "fontcolor": "#cf222e"}
        attributes["label"] += f"\n{units.count(edge.failed)} failed"
    if edge.started:
        attributes["style"] = "dashed"
    return f"  f{edge.caller} -> f{edge.callee} [{_listed(attributes)}];\n"


def _root(part: int, most: int) -> float:
    """Return the share on a square root scale, on which small shares stay visible."""
    return float((part / most) ** 0.5) if most else 0.0


def _heat(part: int, most: int) -> str:
    """Return a colour from white for no exclusive time to blue for the maximum."""
    shade = _root(part, most)
    return f"#{255 - int(75 * shade):02x}{255 - int(40 * shade):02x}ff"


def _listed(attributes: dict[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())


def _quoted(text: str) -> str:
    """Return a DOT string with centred lines; other control characters are replaced."""
    kept = "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
    escaped = kept.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
