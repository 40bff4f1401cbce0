"""The graph of services in the DOT language, and as an SVG picture in layers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from functrace import units
from functrace.analysis.requests.services import Service, ServiceEdge, ServiceGraph
from functrace.export import xml
from functrace.export.dot import quote
from functrace.runtime.escaping import escape

_BOX_WIDTH, _BOX_HEIGHT = 170, 54
_LAYER_GAP, _ROW_GAP = 230, 40
_MARGIN, _LINE = 24, 13
_MAX_ROUTES = 3
_FAILED, _PLAIN = "#cf222e", "#8c959f"
_SWEEPS = 4
_HALO = ' paint-order="stroke" stroke="#ffffff" stroke-width="3" stroke-opacity="0.8"'  # over lines
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    ' viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif">\n'
)


@dataclass(frozen=True)
class _Arrow:
    """All edges between two services."""

    caller: str
    callee: str
    calls: int
    failed: int
    lines: list[str]


def dot(found: ServiceGraph) -> str:
    """Return the graph in Graphviz's DOT language."""
    return "".join(_dot_lines(found))


def _dot_lines(found: ServiceGraph) -> Iterator[str]:
    yield "digraph services {\n"
    yield '  graph [fontname="Helvetica", rankdir=LR, nodesep=0.3, ranksep=1.2];\n'
    yield '  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled"];\n'
    yield '  edge [fontname="Helvetica", fontsize=9, arrowsize=0.7];\n'
    number = {service.name: index for index, service in enumerate(found.services)}
    for service in found.services:
        shape = "dashed" if service.is_external else "rounded,filled"
        label = quote("\n".join(_labels(service)))
        colours = f'fillcolor="{_fill(service)}", color="{_border(service)}"'
        yield f'  s{number[service.name]} [label={label}, style="{shape}", {colours}];\n'
    for arrow in _arrows(found):
        colour = _FAILED if arrow.failed else _PLAIN
        label = quote("\n".join(arrow.lines))
        ends = f"s{number[arrow.caller]} -> s{number[arrow.callee]}"
        yield f'  {ends} [label={label}, color="{colour}", fontcolor="{colour}"];\n'
    yield "}\n"


def _labels(service: Service) -> list[str]:
    marks = ["external"] if service.is_external else []
    marks += ["gateway"] if service.is_gateway else []
    first = escape(service.name) + (f" ({', '.join(marks)})" if marks else "")
    if service.is_external:
        return [first]
    failed = f", {units.count(service.inbound_failed)} failed" if service.inbound_failed else ""
    return [first, f"{units.several(service.inbound, 'request')}{failed}"]


def _fill(service: Service) -> str:
    if service.is_external:
        return "#ffffff"
    return "#ffebe9" if service.inbound_failed else "#f6f8fa"


def _border(service: Service) -> str:
    return _FAILED if service.inbound_failed else _PLAIN


def _arrows(found: ServiceGraph) -> list[_Arrow]:
    edges: defaultdict[tuple[str, str], list[ServiceEdge]] = defaultdict(list)
    for edge in found.edges:
        edges[edge.caller, edge.callee].append(edge)
    arrows = []
    for (caller, callee), of in edges.items():
        lines = [_edge_label(edge) for edge in of[:_MAX_ROUTES]]
        if len(of) > _MAX_ROUTES:
            lines.append(f"… {units.several(len(of) - _MAX_ROUTES, 'more route')}")
        calls, failed = sum(edge.calls for edge in of), sum(edge.failed for edge in of)
        arrows.append(_Arrow(caller, callee, calls, failed, lines))
    return arrows


def _edge_label(edge: ServiceEdge) -> str:
    parts = [f"{escape(edge.route)}: {units.count(edge.calls)}x"]
    if edge.failed:
        parts.append(f"{units.count(edge.failed)} failed")
    if edge.p50 is not None and edge.p99 is not None:
        parts.append(f"p50 {units.duration(edge.p50)}, p99 {units.duration(edge.p99)}")
    return ", ".join(parts)


def svg(found: ServiceGraph) -> str:
    """Return an SVG picture: callers on the left, callees on the right."""
    arrows = _arrows(found)
    places = _places([service.name for service in found.services], arrows)
    widest = max((len(line) for arrow in arrows for line in arrow.lines), default=0)
    gap = max(_LAYER_GAP, 6 * widest + 40)
    at = {
        name: (_MARGIN + layer * (_BOX_WIDTH + gap), _MARGIN + row * (_BOX_HEIGHT + _ROW_GAP))
        for name, (layer, row) in places.items()
    }
    width = max(x for x, _ in at.values()) + _BOX_WIDTH + _MARGIN
    height = max(y for _, y in at.values()) + _BOX_HEIGHT + 2 * _MARGIN
    parts = [
        _HEAD.format(width=width, height=height),
        '<rect width="100%" height="100%" fill="#ffffff"/>\n<defs>\n',
        *(_arrowhead(colour) for colour in (_FAILED, _PLAIN)),
        "</defs>\n",
        *(_svg_arrow(arrow, at) for arrow in arrows),
        *(_svg_box(service, at[service.name]) for service in found.services),
        "</svg>\n",
    ]
    return "".join(parts)


def _arrowhead(colour: str) -> str:
    return (
        f'<marker id="m{colour[1:]}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8"'
        f' markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>\n'
    )


def _svg_box(service: Service, at: tuple[int, int]) -> str:
    x, y = at
    dashes = ' stroke-dasharray="4 3"' if service.is_external else ""
    box = (
        f'<rect x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6"'
        f' fill="{_fill(service)}" stroke="{_border(service)}"{dashes}/>\n'
    )
    labels = _labels(service)
    first = y + _BOX_HEIGHT // 2 + 4 - (len(labels) - 1) * 8
    return box + "".join(
        _text(x + _BOX_WIDTH // 2, first + 16 * number, label, "#1f2328", 12 - number, "middle")
        for number, label in enumerate(labels)
    )


def _svg_arrow(arrow: _Arrow, at: dict[str, tuple[int, int]]) -> str:
    colour = _FAILED if arrow.failed else _PLAIN
    (x1, y1), (x2, y2) = at[arrow.caller], at[arrow.callee]
    middle = _BOX_HEIGHT // 2
    if x2 > x1:
        begin, end = (x1 + _BOX_WIDTH, y1 + middle), (x2, y2 + middle)
        bend = (end[0] - begin[0]) // 2
        curve = f"C{begin[0] + bend} {begin[1]} {end[0] - bend} {end[1]}"
        label = ((begin[0] + end[0]) // 2, (begin[1] + end[1]) // 2)
    else:  # back to an earlier layer, or to itself: around below the boxes
        begin, end = (x1 + _BOX_WIDTH, y1 + middle + 12), (x2, y2 + middle + 12)
        low = max(y1, y2) + _BOX_HEIGHT + _ROW_GAP // 2
        curve = f"C{begin[0] + 60} {low} {max(end[0] - 60, 0)} {low}"
        label = ((begin[0] + end[0]) // 2, low - 4)
    line = (
        f'<path d="M{begin[0]} {begin[1]}{curve} {end[0]} {end[1]}" fill="none" stroke="{colour}"'
        f' stroke-width="1.5" marker-end="url(#m{colour[1:]})"/>\n'
    )
    first = label[1] - 5 - _LINE * (len(arrow.lines) - 1)
    return line + "".join(
        _text(label[0], first + _LINE * number, each, colour, 10, "middle")
        for number, each in enumerate(arrow.lines)
    )


def _text(x: int, y: int, text: str, colour: str, size: int, anchor: str) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{_HALO}>'
        f"{xml.text(text)}</text>\n"
    )


def _places(names: list[str], arrows: list[_Arrow]) -> dict[str, tuple[int, int]]:
    """Return the layer and row of each service: below its callers, near to them."""
    layer = _layers(names, arrows)
    rows: defaultdict[int, list[str]] = defaultdict(list)
    for name in names:
        rows[layer[name]].append(name)
    for _ in range(_SWEEPS):
        place = {name: row for of in rows.values() for row, name in enumerate(of)}
        for number in sorted(rows)[1:]:
            rows[number].sort(key=lambda name: _mean_row(name, arrows, place))
    return {name: (number, row) for number, of in rows.items() for row, name in enumerate(of)}


def _layers(names: list[str], arrows: list[_Arrow]) -> dict[str, int]:
    """Return the longest way from a service that nobody calls, without ways back."""
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for arrow in sorted(arrows, key=lambda each: -each.calls):
        calls[arrow.caller].append(arrow.callee)
    called = {arrow.callee for arrow in arrows if arrow.callee != arrow.caller}
    layer = dict.fromkeys(names, 0)
    done: set[str] = set()
    order: list[str] = []
    for root in [*(name for name in names if name not in called), *names]:
        if root in done:
            continue
        done.add(root)
        pending = [(root, iter(calls[root]))]
        while pending:
            name, callees = pending[-1]
            for callee in callees:
                if callee not in done:
                    done.add(callee)
                    pending.append((callee, iter(calls[callee])))
                    break
            else:
                order.append(name)
                pending.pop()
    rank = {name: number for number, name in enumerate(reversed(order))}
    for name in reversed(order):
        for callee in calls[name]:
            if rank[callee] > rank[name]:
                layer[callee] = max(layer[callee], layer[name] + 1)
    return layer


def _mean_row(name: str, arrows: list[_Arrow], place: dict[str, int]) -> float:
    rows = [place[arrow.caller] for arrow in arrows if arrow.callee == name]
    return sum(rows) / len(rows) if rows else 0.0


FORMATS: dict[str, Callable[[ServiceGraph], str]] = {"dot": dot, "svg": svg}
