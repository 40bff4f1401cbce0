"""The functions of a file, and where their braces stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from rewriter.golang import grammar
from rewriter.plan import Function

# The type at the end of a receiver, behind its name if it has one: (x *T[K]).
_RECEIVER = re.compile(r"\(\s*(?:\w+\s+)?\(*(\*?)\s*\(*(\w+)")
_DECLARATIONS = frozenset(("function_declaration", "method_declaration"))


@dataclass(frozen=True)
class GoFunction:
    """A declaration or a literal; offsets are bytes of the source.

    Attributes:
        function: its name and lines, for reports and filters.
        outer: the name of the declaration around a literal, ``""`` for a declaration.
        start: the ``func`` keyword.
        open: the body's ``{``, or -1 where there is no body.
        close: the body's ``}``, or -1.
        comments: the comments between the previous declaration and this one.
        node: its node in the tree.
    """

    function: Function
    outer: str
    start: int
    open: int
    close: int
    comments: tuple[Node, ...]
    node: Node

    @property
    def is_literal(self) -> bool:
        """Whether it is a function literal, a closure."""
        return self.node.type == "func_literal"


def find(source: bytes, root: Node, *, closures: bool) -> list[GoFunction]:
    """Every function in ``source``, in its order; function literals if ``closures``."""
    lines = _Lines(source)
    declared = list(_declared(root, lines))
    if not closures:
        return declared
    literals = _literals(root, declared, lines)
    return sorted((*declared, *literals), key=lambda f: f.start)


class _Lines:
    """Line numbers of offsets that mostly ascend; asking a node for its row is slower."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._at = 0
        self._line = 1

    def number(self, offset: int) -> int:
        if offset < self._at:
            self._line -= self._source.count(b"\n", offset, self._at)
        else:
            self._line += self._source.count(b"\n", self._at, offset)
        self._at = offset
        return self._line

    def function(self, name: str, start: int, end: int) -> Function:
        line = self.number(start)
        return Function(name, line, self.number(end) - line + 1)


def _declared(root: Node, lines: _Lines) -> Iterator[GoFunction]:
    comments: list[Node] = []
    for node in root.children:
        if node.type == "comment":
            comments.append(node)
        elif node.type in _DECLARATIONS:
            yield _declaration(node, tuple(comments), lines)
            comments.clear()
        elif node.is_named:
            comments.clear()


def _declaration(node: Node, comments: tuple[Node, ...], lines: _Lines) -> GoFunction:
    start, end = node.start_byte, node.end_byte
    body = node.child_by_field_name("body")
    return GoFunction(
        function=lines.function(_name(node), start, end),
        outer="",
        start=start,
        open=body.start_byte if body else -1,
        close=end - 1 if body else -1,
        comments=comments,
        node=node,
    )


def _name(node: Node) -> str:
    """The name as the Go runtime prints it behind the package: ``F``, ``T.M`` or ``(*T).M``."""
    name = _field(node, "name")
    receiver = _RECEIVER.match(_field(node, "receiver"))
    if receiver is None:
        return name
    return f"(*{receiver[2]}).{name}" if receiver[1] else f"{receiver[2]}.{name}"


def _field(node: Node, name: str) -> str:
    child = node.child_by_field_name(name)
    return grammar.text(child).decode(errors="replace") if child else ""


def _literals(root: Node, declared: list[GoFunction], lines: _Lines) -> Iterator[GoFunction]:
    """The function literals, named as the compiler names most of them: ``f.func1``."""
    counts: Counter[str] = Counter()
    around = iter(declared)
    declaration = next(around, None)
    for body in grammar.captures("(func_literal body: (block) @body)", root):
        node = body.parent
        if node is None:
            raise AssertionError("a captured body has a parent")
        while declaration and declaration.node.end_byte <= node.start_byte:
            declaration = next(around, None)
        inside = declaration is not None and declaration.start < node.start_byte
        outer = declaration.function.name if declaration and inside else "init"
        counts[outer] += 1
        yield GoFunction(
            function=lines.function(f"{outer}.func{counts[outer]}", node.start_byte, node.end_byte),
            outer=outer,
            start=node.start_byte,
            open=body.start_byte,
            close=body.end_byte - 1,
            comments=(),
            node=node,
        )
