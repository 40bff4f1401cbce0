"""Call graph in Graphviz's DOT language: one box per function, one arrow per caller and callee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from functrace import units
from functrace.analysis import Chains, fold
from functrace.export import process_names
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
    titles = list(map(process_names.title, traces))
    write_chains(titles, [fold(trace) for trace in traces], out, limit)


def write_chains(
    titles: Sequence[str], chains: Sequence[Chains], out: BinaryIO, limit: int = 80
) -> None:
    """Write the combined call graph of chains."""
    title = escape(", ".join(titles[:3]))
    out.writelines(line.encode() for line in lines(call_graph(chains, limit), title))


def lines(graph: CallGraph, title: str) -> Iterator[str]:
    """Yield the graph in the DOT language."""
    omitted = f"; {units.several(graph.omitted, 'function')} omitted" if graph.omitted else ""
    yield _HEAD % quote(f"{title}{omitted}\nred: calls that failed; dashed: on a new track")
    max_self = max((int(graph.functions.self[index]) for index in graph.shown), default=0)
    for index in graph.shown:
        yield _box(graph, index, max_self)
    max_total = max((edge.total for edge in graph.edges), default=0)
    for edge in graph.edges:
        yield _arrow(edge, max_total)
    yield "}\n"


def _box(graph: CallGraph, index: int, maximum: int) -> str:
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
        "fillcolor": "#ffc9c2" if failed else _heat(own, maximum),
        "color": "#cf222e" if failed else "#8c959f",
        "fontsize": f"{10 + 8 * _sqrt_share(own, maximum):.1f}",
    }
    return f"  f{index} [{_format_attributes(attributes)}];\n"


def _arrow(edge: Edge, maximum: int) -> str:
    attributes = {
        "label": f"{units.several(edge.calls, 'call')}\n{units.duration(edge.total)}",
        "penwidth": f"{1 + 4 * _sqrt_share(edge.total, maximum):.2f}",
    }
    if edge.failed:
        attributes |= {"color": "#cf222e", "fontcolor": "#cf222e"}
        attributes["label"] += f"\n{units.count(edge.failed)} failed"
    if edge.started:
        attributes["style"] = "dashed"
    return f"  f{edge.caller} -> f{edge.callee} [{_format_attributes(attributes)}];\n"


def _sqrt_share(part: int, maximum: int) -> float:
    """Return the share on a square root scale, on which small shares stay visible."""
    return float((part / maximum) ** 0.5) if maximum else 0.0


def _heat(part: int, maximum: int) -> str:
    """Return a colour from white for no exclusive time to blue for the maximum."""
    shade = _sqrt_share(part, maximum)
    return f"#{255 - int(75 * shade):02x}{255 - int(40 * shade):02x}ff"


def _format_attributes(attributes: dict[str, str]) -> str:
    return ", ".join(f"{name}={quote(value)}" for name, value in attributes.items())


def quote(text: str) -> str:
    """Return a DOT string with centred lines; other control characters are replaced."""
    printable = "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
    escaped = printable.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
