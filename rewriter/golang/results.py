"""Functions whose last result is an error: its name, put in where it has none and taken out.

Go wants names for all results or for none, so the others become ``_``. Strip
tells by the names what stood there: ``(functraceErr error)`` was ``error``, two
blanks in it were parentheses that gofmt would have taken away, and a number that
begins with 0 replaced a ``_``.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from rewriter.edit import Edit, delete, insert
from rewriter.golang import grammar, names, skip
from rewriter.golang.functions import GoFunction
from rewriter.golang.tokens import Token, tokenize
from rewriter.golang.traces import TraceCall

BASE = "functraceErr"

_NAME = re.compile(rb"functraceErr(0?)\d*")
_WAS_BLANK = "0"
_ERROR = b"error"
_WORD = re.compile(rb"\berror\b")


@dataclass(frozen=True)
class ErrorResult:
    """A function's last result, of type ``error``: its name, and the edits that give it one."""

    name: str
    edits: tuple[Edit, ...]


def find(
    source: bytes, functions: Iterable[GoFunction], package_names: frozenset[str]
) -> dict[int, ErrorResult]:
    """The error results of ``functions``, those of a file in its order, by where bodies open.

    What may have an ``error`` of its own in sight is left out, and so is what C code
    sees: cgo writes the names of results into its header.
    """
    found: dict[int, ErrorResult] = {}
    if _ERROR.decode() in package_names or names.declares_type(source, _ERROR):
        return found
    fresh = _Fresh(source)
    shadowed_until = 0
    for function in functions:
        if not function.is_literal and _declares_error(source, function):
            shadowed_until = function.close
        if function.open < 0 or function.start < shadowed_until:
            continue
        result = _of(function, fresh)
        if result and not (result.edits and skip.is_exported_to_c(source, function)):
            found[function.open] = result
    return found


class _Fresh:
    """The names for results that have none: like nothing else in the file."""

    def __init__(self, source: bytes) -> None:
        self._source = source

    @property
    def added(self) -> str:
        return BASE + self._number

    @property
    def instead_of_blank(self) -> str:
        return BASE + _WAS_BLANK + self._number

    @cached_property
    def _number(self) -> str:
        if BASE.encode() not in self._source:
            return ""
        taken = {t.text.decode(errors="replace") for t in tokenize(self._source)}
        numbers = itertools.chain([""], map(str, itertools.count(1)))
        return next(n for n in numbers if not taken & {BASE + n, BASE + _WAS_BLANK + n})


def _declares_error(source: bytes, function: GoFunction) -> bool:
    """Whether a parameter, a type parameter or one of the receiver's may be called ``error``."""
    parameters = function.node.child_by_field_name("parameters")
    if parameters is None or not _WORD.search(source, function.start, parameters.end_byte):
        return False
    named = grammar.captures("(parameter_declaration name: (identifier) @name)", parameters)
    if any(grammar.text(name) == _ERROR for name in named):
        return True
    # The grammar does not know a method's type parameters, so tokens tell of them.
    texts = [t.text for t in tokenize(source[function.start : parameters.start_byte])]
    neighbours = itertools.pairwise(texts)
    return any(text == _ERROR and before in (b"[", b",", b"(") for before, text in neighbours)


def _of(function: GoFunction, fresh: _Fresh) -> ErrorResult | None:
    result = function.node.child_by_field_name("result")
    if result is None:
        return None
    if result.type != "parameter_list":
        return _alone(result, fresh) if grammar.text(result) == _ERROR else None
    declared = _declarations(result)
    if not declared or grammar.text(_type(declared[-1])) != _ERROR:
        return None
    given = _names(declared[-1])
    if not given:
        return _unnamed(result, declared, fresh)
    text = grammar.text(given[-1])
    if text == b"_":
        name = fresh.instead_of_blank
        edit = Edit(given[-1].start_byte, given[-1].end_byte, name.encode())
        return ErrorResult(name, (edit,))
    return None if _NAME.fullmatch(text) else ErrorResult(text.decode(), ())


def _declarations(result: Node) -> list[Node]:
    return [n for n in result.named_children if n.type == "parameter_declaration"]


def _type(declaration: Node) -> Node:
    node = declaration.child_by_field_name("type")
    if node is None:
        raise AssertionError("a parameter has a type")
    return node


def _names(declaration: Node) -> list[Node]:
    return declaration.children_by_field_name("name")


def _alone(result: Node, fresh: _Fresh) -> ErrorResult:
    opened = insert(result.start_byte, f"({fresh.added} ".encode())
    return ErrorResult(fresh.added, (opened, insert(result.end_byte, b")")))


def _unnamed(result: Node, declared: list[Node], fresh: _Fresh) -> ErrorResult:
    blanks = [insert(d.start_byte, b"_ ") for d in declared[:-1]]
    gap = "  " if grammar.text(result) == b"(error)" else " "
    named = insert(declared[-1].start_byte, (fresh.added + gap).encode())
    return ErrorResult(fresh.added, (*blanks, named))


def remove(
    source: bytes, functions: Sequence[GoFunction], calls: Iterable[TraceCall]
) -> Iterator[Edit]:
    """The edits that take names out again which :func:`find` added and ``calls`` pass on.

    A name that something else uses by now stays.
    """
    by_body = {f.open: f for f in functions}
    named = [
        (by_body[c.body], name, c)
        for c in calls
        if c.body in by_body and (name := _added_name(by_body[c.body], c.error))
    ]
    if not named:
        return
    known = {name.start_byte for _, name, _ in named} | {c.error_start for _, _, c in named}
    other = [t for t in tokenize(source) if _NAME.fullmatch(t.text) and t.start not in known]
    for function, name, _ in named:
        if not _is_mentioned(other, function, grammar.text(name)):
            yield from _unname(source, name)


def _added_name(function: GoFunction, name: str) -> Node | None:
    """The last result's name, if it is ``name`` and one that :func:`find` gives."""
    result = function.node.child_by_field_name("result")
    if result is None or not _NAME.fullmatch(name.encode()):
        return None
    declared = _declarations(result)
    given = _names(declared[-1]) if declared else []
    return given[-1] if given and grammar.text(given[-1]) == name.encode() else None


def _is_mentioned(tokens: list[Token], function: GoFunction, name: bytes) -> bool:
    first = bisect.bisect_left(tokens, function.start, key=lambda t: t.start)
    inside = itertools.takewhile(lambda t: t.start < function.close, tokens[first:])
    return any(t.text == name for t in inside)


def _unname(source: bytes, name: Node) -> Iterator[Edit]:
    declaration = name.parent
    result = declaration.parent if declaration else None
    if declaration is None or result is None:
        raise AssertionError("a result's name has a list around it")
    declared = _declarations(result)
    match = _NAME.fullmatch(grammar.text(name))
    if (match and match[1]) or not _are_blank(declared, name):
        yield Edit(name.start_byte, name.end_byte, b"_")
        return
    text = grammar.text(result)
    if text in (b"(" + grammar.text(name) + gap + b"error)" for gap in (b" ", b"  ")):
        yield Edit(result.start_byte, result.end_byte, b"(error)" if b"  " in text else b"error")
        return
    for each in declared:
        first = _names(each)[0]
        end = first.end_byte
        yield delete(first.start_byte, end + (source[end : end + 1] == b" "))


def _are_blank(declared: list[Node], last: Node) -> bool:
    """Whether every result has one name, and all but the ``last`` are ``_``."""
    names = [_names(d) for d in declared]
    return all(len(n) == 1 and (n[0] == last or grammar.text(n[0]) == b"_") for n in names)
