"""Functions of a Go file with the positions of their braces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from rewriter.golang import grammar
from rewriter.plan import Function

# The type in a receiver, after its optional name: (x *T[K]).
_RECEIVER = re.compile(r"\(\s*(?:\w+\s+)?\(*(\*?)\s*\(*(\w+)")
_DECLARATIONS = frozenset(("function_declaration", "method_declaration"))


@dataclass(frozen=True)
class GoFunction:
    """Function declaration or literal; offsets are bytes of the source.

    Attributes:
        function: name and lines, for reports and filters.
        start: offset of the ``func`` keyword.
        open: offset of the body's ``{``, or -1 if there is no body.
        close: offset of the body's ``}``, or -1.
        comments: comments between the previous declaration and this one.
        node: node in the syntax tree.
    """

    function: Function
    start: int
    open: int
    close: int
    comments: tuple[Node, ...]
    node: Node

    @property
    def is_literal(self) -> bool:
        """Whether it is a function literal (closure)."""
        return self.node.type == "func_literal"

    @property
    def compiler_position(self) -> int:
        """Offset at which the compiler reports it: behind ``func``, but at that of a literal."""
        if self.is_literal:
            return self.start
        after = (child for child in self.node.children[1:] if child.type != "comment")
        return next(after).start_byte


def find(source: bytes, root: Node, *, closures: bool) -> list[GoFunction]:
    """Return every function in source order, function literals only if ``closures``."""
    lines = _LineCounter(source)
    declared = list(_find_declarations(root, lines))
    if not closures:
        return declared
    literals = _find_literals(root, declared, lines)
    return sorted((*declared, *literals), key=lambda f: f.start)


class _LineCounter:
    """Line numbers of mostly ascending offsets; reading a node's row is slower."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._at = 0
        self._line = 1

    def get_line(self, offset: int) -> int:
        if offset < self._at:
            self._line -= self._source.count(b"\n", offset, self._at)
        else:
            self._line += self._source.count(b"\n", self._at, offset)
        self._at = offset
        return self._line

    def make_function(self, name: str, start: int, end: int) -> Function:
        line = self.get_line(start)
        return Function(name, line, self.get_line(end) - line + 1)


def _find_declarations(root: Node, lines: _LineCounter) -> Iterator[GoFunction]:
    comments: list[Node] = []
    for node in root.children:
        if node.type == "comment":
            comments.append(node)
        elif node.type in _DECLARATIONS:
            yield _make_declaration(node, tuple(comments), lines)
            comments.clear()
        elif node.is_named:
            comments.clear()


def _make_declaration(node: Node, comments: tuple[Node, ...], lines: _LineCounter) -> GoFunction:
    start, end = node.start_byte, node.end_byte
    body = node.child_by_field_name("body")
    return GoFunction(
        function=lines.make_function(_get_name(node), start, end),
        start=start,
        open=body.start_byte if body else -1,
        close=end - 1 if body else -1,
        comments=comments,
        node=node,
    )


def _get_name(node: Node) -> str:
    """Return the name as the Go runtime prints it after the package: ``T.M`` or ``(*T).M``."""
    name = _get_field(node, "name")
    receiver = _RECEIVER.match(_get_field(node, "receiver"))
    if receiver is None:
        return name
    return f"(*{receiver[2]}).{name}" if receiver[1] else f"{receiver[2]}.{name}"


def _get_field(node: Node, name: str) -> str:
    child = node.child_by_field_name(name)
    return grammar.text(child).decode(errors="replace") if child else ""


def _find_literals(
    root: Node, declared: list[GoFunction], lines: _LineCounter
) -> Iterator[GoFunction]:
    """Yield the function literals, named as the compiler names most of them: ``f.func1``."""
    counts: Counter[str] = Counter()
    enclosing = iter(declared)
    declaration = next(enclosing, None)
    for body in grammar.capture("(func_literal body: (block) @body)", root):
        node = body.parent
        if node is None:
            raise AssertionError("captured body without a parent")
        while declaration and declaration.node.end_byte <= node.start_byte:
            declaration = next(enclosing, None)
        inside = declaration is not None and declaration.start < node.start_byte
        outer = declaration.function.name if declaration and inside else "init"
        counts[outer] += 1
        name = f"{outer}.func{counts[outer]}"
        yield GoFunction(
            function=lines.make_function(name, node.start_byte, node.end_byte),
            start=node.start_byte,
            open=body.start_byte,
            close=body.end_byte - 1,
            comments=(),
            node=node,
        )
