"""Interactive flame graph: a self-contained SVG file with zoom, search and tooltips.

The initial view is drawn here, so that the file is a picture even without scripts. Interaction is
done by flamegraph.js with the chains; both are embedded in the file.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any, BinaryIO

import numpy as np

from functrace import units
from functrace.analysis import Chains, fold
from functrace.analysis.columns import Int64s
from functrace.export import process_names, xml
from functrace.export.flame_difference import KEY, Shares, compare_trees
from functrace.export.stacks import inclusive
from functrace.globs import short_name
from functrace.runtime.escaping import escape
from functrace.tracefile import Trace

# Chains beyond this number are omitted, smallest first.
_MAX_CHAINS = 50_000
_WIDTH = 1200
_ROW = 18
_TOP = 58
_BOTTOM = 30
_MIN_WIDTH = 0.4
"""pixels below which a frame is not drawn"""
_LETTER_WIDTH = 6.6
"""approximate width of a letter in pixels"""
_COLUMNS = tuple("parent name calls total self suspended failed text started".split())
_TITLES = {"time": "time of their own", "calls": "calls", "errors": "calls that failed"}
_STYLE = (
    "text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "fill:#1b1f24}"
    ".title{font-size:15px;font-weight:600}.quiet{fill:#59636e}.button{cursor:pointer}"
    ".frame{cursor:pointer}.frame text{pointer-events:none}"
    ".frame rect{stroke:#fff;stroke-width:.7}.frame:hover rect{stroke:#1b1f24}"
    ".above rect{opacity:.55}.found rect{fill:#b45cff}.failed text{fill:#fff}"
)


@dataclass(frozen=True, eq=False)
class Tree:
    """Nodes of all traces below one root node.

    A parent comes before its children. Columns have one item per node.
    """

    names: list[str]
    texts: list[str]
    parent: Int64s
    name: Int64s
    calls: Int64s
    total: Int64s
    self: Int64s
    suspended: Int64s
    failed: Int64s
    text: Int64s
    """index of the first failure's text, or -1"""
    started: Int64s
    omitted_chains: int = field(default=0, kw_only=True)
    difference: Mapping[str, Shares] | None = field(default=None, kw_only=True)
    """from another flame graph, by weight; it is shown in place of failures"""


def write(traces: Sequence[Trace], out: BinaryIO, by: str = "time") -> None:
    """Write the flame graph; widths represent nanoseconds, calls or errors."""
    write_chains(list(map(process_names.title, traces)), map(fold, traces), out, by)


def write_chains(
    titles: Sequence[str],
    chains: Iterable[Chains],
    out: BinaryIO,
    by: str = "time",
    before: Mapping[str, Chains] | None = None,
) -> None:
    """Write the flame graph of chains; several get a frame each, with its title.

    Args:
        titles: a title for each of the chains.
        chains: the chains.
        out: the file.
        by: what widths represent: "time", "calls" or "errors".
        before: other chains by title; frames are coloured by how they differ from these.
    """
    tree = _tree(titles, chains)
    if before is not None:
        others = [title for title in titles if title in before]
        old = _tree(others, [before[title] for title in others], has_frames=len(titles) > 1)
        tree = replace(tree, difference=compare_trees(tree, old))
    for piece in _svg(_drop_smallest(tree), by, escape(", ".join(titles[:3]))):
        out.write(piece.encode())


def _tree(
    titles: Sequence[str], chains: Iterable[Chains], *, has_frames: bool | None = None
) -> Tree:
    """Return all chains below a root; several traces get a node each, or all if `has_frames`."""
    builder = _Builder()
    root = builder.add_node(-1, "all")
    has_frames = len(titles) > 1 if has_frames is None else has_frames
    for title, each in zip(titles, chains, strict=True):
        builder.add_chains(each, builder.add_node(root, title) if has_frames else root)
    return builder.tree()


class _Builder:
    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._texts: dict[str, int] = {}
        self._count = 0
        self._columns: list[tuple[Int64s, ...]] = []

    def add_node(self, parent: int, name: str) -> int:
        number = self._names.setdefault(name, len(self._names))
        self._add(*(np.array([value]) for value in (parent, number, 0, 0, 0, 0, 0, -1, 0)))
        return self._count - 1

    def add_chains(self, chains: Chains, parent: int) -> None:
        functions = chains.trace.functions
        names = [self._names.setdefault(f.name, len(self._names)) for f in functions]
        text = np.full(len(chains), -1, np.int64)
        for node in np.flatnonzero(chains.failed_track >= 0).tolist():
            text[node] = self._texts.setdefault(chains.failure(node), len(self._texts))
        self._add(
            np.where(chains.parent < 0, parent, chains.parent.astype(np.int64) + self._count),
            np.array(names, np.int64)[chains.function],
            chains.calls,
            chains.total,
            chains.self,
            chains.suspended,
            chains.errors + chains.panics,
            text,
            chains.started.astype(np.int64),
        )

    def _add(self, *columns: Int64s) -> None:
        self._columns.append(columns)
        self._count += len(columns[0])

    def tree(self) -> Tree:
        columns = [np.concatenate(column) for column in zip(*self._columns, strict=True)]
        return Tree(list(self._names), list(self._texts), *columns)


def _drop_smallest(tree: Tree) -> Tree:
    """Return the tree without its smallest nodes; the parents of remaining nodes remain."""
    count = len(tree.parent)
    if count <= _MAX_CHAINS:
        return tree
    time = inclusive(tree.parent, tree.self)
    fails = inclusive(tree.parent, tree.failed) > 0
    selected = np.sort(np.lexsort((~fails, -time))[:_MAX_CHAINS])
    new_index = np.full(count + 1, -1, np.int64)
    new_index[selected] = np.arange(len(selected))
    columns = {column: getattr(tree, column)[selected] for column in _COLUMNS}
    columns["parent"] = new_index[columns["parent"]]
    difference = tree.difference and {
        by: shares.of_nodes(selected) for by, shares in tree.difference.items()
    }
    return replace(tree, **columns, difference=difference, omitted_chains=count - len(selected))


@dataclass(frozen=True)
class _Frame:
    node: int
    level: int
    x: float
    width: float


def _layout(tree: Tree, weights: Int64s) -> Iterator[_Frame]:
    """Yield the visible frames of the initial view, the largest at the left."""
    sums = inclusive(tree.parent, weights)
    scale = _WIDTH / max(int(sums[0]), 1)
    order = np.lexsort((-sums, tree.parent))
    first = np.searchsorted(tree.parent[order], np.arange(len(sums) + 1))
    pending = [_Frame(0, 0, 0.0, float(_WIDTH))]
    while pending:
        frame = pending.pop()
        yield frame
        x = frame.x
        for child in order[first[frame.node] : first[frame.node + 1]].tolist():
            width = float(sums[child]) * scale
            if width < _MIN_WIDTH:
                break
            pending.append(_Frame(child, frame.level + 1, x, width))
            x += width


def _svg(tree: Tree, by: str, title: str) -> Iterator[str]:
    weights = {"time": tree.self, "calls": tree.calls, "errors": tree.failed}[by]
    frames = list(_layout(tree, weights))
    below = inclusive(tree.parent, tree.failed) > 0
    height = _TOP + _ROW * (1 + max(frame.level for frame in frames)) + _BOTTOM
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}">\n'
        f'<style>{_STYLE}</style>\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text class="title" x="10" y="22">{xml.text(title)}</text>\n'
        f'<text class="quiet" id="caption" x="10" y="42">{_caption(tree, by)}</text>\n'
        '<g id="frames">\n'
    )
    for frame in frames:
        yield _frame(tree, frame, bool(below[frame.node]), by)
    yield f'</g>\n<text class="quiet" id="pointed" x="10" y="{height - 10}"/>\n'
    yield f'<script type="application/json" id="chains">{_to_json(tree, by)}</script>\n'
    script = resources.files(__package__).joinpath("flamegraph.js").read_text("utf-8")
    yield f"<script><![CDATA[\n{script}]]></script>\n</svg>\n"


def _caption(tree: Tree, by: str) -> str:
    omitted = f"; {units.count(tree.omitted_chains)} smallest chains omitted"
    return f"by {_TITLES[by]}; {_key(tree)}{omitted if tree.omitted_chains else ''}"


def _key(tree: Tree) -> str:
    return KEY if tree.difference else "red: calls that failed"


def _frame(tree: Tree, frame: _Frame, fails_below: bool, by: str) -> str:
    node = frame.node
    name = tree.names[int(tree.name[node])]
    failed = bool(tree.failed[node]) and not tree.difference
    fill = color(name, failed=failed, fails_below=fails_below)
    title = _title(tree, node)
    if tree.difference:
        fill = tree.difference[by].color(node)
        title += f"\n{tree.difference[by].sentence(node)}"
    y = _TOP + frame.level * _ROW
    max_letters = int((frame.width - 6) / _LETTER_WIDTH)
    label = xml.text(_shorten(escape(name), max_letters))
    shown = f'<text x="{frame.x + 3:.2f}" y="{y + 13}">{label}</text>'
    return (
        f'<g class="frame{" failed" if failed else ""}" data-node="{node}">'
        f"<title>{xml.text(title)}</title>"
        f'<rect x="{frame.x:.2f}" y="{y}" width="{frame.width:.2f}" height="{_ROW - 1}" rx="2" '
        f'fill="{fill}"/>'
        f"{shown if max_letters >= 3 else ''}</g>\n"
    )


def _shorten(name: str, max_letters: int) -> str:
    """Return the longest form of a name that fits: without path, package or type."""
    short = short_name(name)
    forms = [name, short, short.partition(".")[2], short.rpartition(".")[2]]
    fitting = [form for form in forms if 0 < len(form) <= max_letters]
    return fitting[0] if fitting else (forms[3] or name)[: max_letters - 1] + "…"


def _title(tree: Tree, node: int) -> str:
    name = escape(tree.names[int(tree.name[node])])
    if not tree.calls[node]:
        return name
    calls, failed = int(tree.calls[node]), int(tree.failed[node])
    total, own = units.duration(int(tree.total[node])), units.duration(int(tree.self[node]))
    track = " (on a new track)" if tree.started[node] else ""
    lines = [f"{name}{track}", f"{units.several(calls, 'call')}, total {total}, self {own}"]
    if tree.suspended[node]:
        lines.append(f"suspended {units.duration(int(tree.suspended[node]))}")
    if failed:
        lines.append(f"{units.count(failed)} failed ({units.share(failed, calls)})")
        lines += [escape(tree.texts[int(tree.text[node])])] if tree.text[node] >= 0 else []
    return "\n".join(lines)


def color(name: str, *, failed: bool, fails_below: bool) -> str:
    """Return red for failed calls, light red for their callers, else a colour per package."""
    if failed:
        return "#cf222e"
    if fails_below:
        return "#ffc9c2"
    package = short_name(name).partition(".")[0]
    hash_ = zlib.crc32(package.encode("utf-8", "replace"))
    return f"hsl({150 + hash_ % 90},{38 + hash_ // 90 % 20}%,{74 + hash_ // 1800 % 10}%)"


def _to_json(tree: Tree, by: str) -> str:
    """Return the data for flamegraph.js. Three JSON characters must be escaped in XML."""
    values = {column: getattr(tree, column).tolist() for column in _COLUMNS}
    colors = [color(name, failed=False, fails_below=False) for name in tree.names]
    rest: dict[str, Any] = {"by": by, "names": tree.names, "colors": colors, "texts": tree.texts}
    if tree.difference:
        rest["difference"] = {by: each.as_json() for by, each in tree.difference.items()}
    rest |= {"titles": _TITLES, "key": _key(tree)}
    text = json.dumps({**rest, **values}, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
