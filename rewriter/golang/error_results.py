"""Insertion and removal of names for error results, which trace calls refer to.

Go requires names for all results or for none, so the others become ``_``. The names
encode what strip restores: ``(functraceErr error)`` was ``error``, two blanks in it
mean redundant parentheses, and a number that begins with 0 replaced a ``_``.
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
from rewriter.golang import aliases, grammar, skip_rules
from rewriter.golang.functions import GoFunction
from rewriter.golang.tokens import Token, tokenize
from rewriter.golang.trace_calls import TraceCall

BASE = "functraceErr"

_NAME = re.compile(rb"functraceErr(0?)\d*")
_BLANK_MARK = "0"
_ERROR = b"error"
_WORD = re.compile(rb"\berror\b")


@dataclass(frozen=True)
class ErrorResult:
    """Last result of type ``error``: its name, and the edits that name it if it has none."""

    name: str
    edits: tuple[Edit, ...]


def find(
    source: bytes, functions: Iterable[GoFunction], package_names: frozenset[str]
) -> dict[int, ErrorResult]:
    """Map body offsets to the error results of ``functions``, all of a file in source order.

    Functions in whose scope ``error`` may be redeclared are left out, and so are those
    that C code sees: cgo writes the names of results into its header.
    """
    found: dict[int, ErrorResult] = {}
    if _ERROR.decode() in package_names or aliases.declares_type(source, _ERROR):
        return found
    names = _UnusedNames(source)
    shadowed_until = 0
    for function in functions:
        if not function.is_literal and _declares_error(source, function):
            shadowed_until = function.close
        if function.open < 0 or function.start < shadowed_until:
            continue
        result = _find_result(function, names)
        if result and not (result.edits and skip_rules.is_exported_to_c(source, function)):
            found[function.open] = result
    return found


class _UnusedNames:
    """Names for unnamed results that nothing else in the file has."""

    def __init__(self, source: bytes) -> None:
        self._source = source

    @property
    def for_unnamed(self) -> str:
        return BASE + self._number

    @property
    def for_blank(self) -> str:
        return BASE + _BLANK_MARK + self._number

    @cached_property
    def _number(self) -> str:
        if BASE.encode() not in self._source:
            return ""
        used = {t.text.decode(errors="replace") for t in tokenize(self._source)}
        numbers = itertools.chain([""], map(str, itertools.count(1)))
        return next(n for n in numbers if not used & {BASE + n, BASE + _BLANK_MARK + n})


def _declares_error(source: bytes, function: GoFunction) -> bool:
    """Return whether a parameter, type parameter or receiver may be called ``error``."""
    parameters = function.node.child_by_field_name("parameters")
    if parameters is None or not _WORD.search(source, function.start, parameters.end_byte):
        return False
    named = grammar.capture("(parameter_declaration name: (identifier) @name)", parameters)
    if any(grammar.text(name) == _ERROR for name in named):
        return True
    # The grammar does not support type parameters of methods, so tokens are read.
    texts = [t.text for t in tokenize(source[function.start : parameters.start_byte])]
    neighbours = itertools.pairwise(texts)
    return any(text == _ERROR and before in (b"[", b",", b"(") for before, text in neighbours)


def returns_error(function: GoFunction) -> bool:
    """Return whether the last result of ``function`` is an ``error``."""
    result = function.node.child_by_field_name("result")
    if result is None or result.type != "parameter_list":
        return result is not None and grammar.text(result) == _ERROR
    declared = _get_declarations(result)
    return bool(declared) and grammar.text(_get_type(declared[-1])) == _ERROR


def _find_result(function: GoFunction, names: _UnusedNames) -> ErrorResult | None:
    result = function.node.child_by_field_name("result")
    if result is None or not returns_error(function):
        return None
    if result.type != "parameter_list":
        return _name_single(result, names)
    declared = _get_declarations(result)
    result_names = _get_names(declared[-1])
    if not result_names:
        return _name_list(result, declared, names)
    text = grammar.text(result_names[-1])
    if text == b"_":
        name = names.for_blank
        edit = Edit(result_names[-1].start_byte, result_names[-1].end_byte, name.encode())
        return ErrorResult(name, (edit,))
    return None if _NAME.fullmatch(text) else ErrorResult(text.decode(), ())


def _get_declarations(result: Node) -> list[Node]:
    return [n for n in result.named_children if n.type == "parameter_declaration"]


def _get_type(declaration: Node) -> Node:
    node = declaration.child_by_field_name("type")
    if node is None:
        raise AssertionError("parameter without a type")
    return node


def _get_names(declaration: Node) -> list[Node]:
    return declaration.children_by_field_name("name")


def _name_single(result: Node, names: _UnusedNames) -> ErrorResult:
    opened = insert(result.start_byte, f"({names.for_unnamed} ".encode())
    return ErrorResult(names.for_unnamed, (opened, insert(result.end_byte, b")")))


def _name_list(result: Node, declared: list[Node], names: _UnusedNames) -> ErrorResult:
    blanks = [insert(d.start_byte, b"_ ") for d in declared[:-1]]
    gap = "  " if grammar.text(result) == b"(error)" else " "
    named = insert(declared[-1].start_byte, (names.for_unnamed + gap).encode())
    return ErrorResult(names.for_unnamed, (*blanks, named))


def remove_names(
    source: bytes, functions: Sequence[GoFunction], calls: Iterable[TraceCall]
) -> Iterator[Edit]:
    """Yield the edits that remove names which :func:`find` added and ``calls`` refer to.

    A name that other code uses by now stays.
    """
    by_body = {f.open: f for f in functions}
    named = [
        (by_body[c.body], name, c)
        for c in calls
        if c.body in by_body and (name := _find_added_name(by_body[c.body], c.error))
    ]
    if not named:
        return
    expected = {name.start_byte for _, name, _ in named} | {c.error_start for _, _, c in named}
    others = [t for t in tokenize(source) if _NAME.fullmatch(t.text) and t.start not in expected]
    for function, name, _ in named:
        if not _is_mentioned(others, function, grammar.text(name)):
            yield from _remove_name(source, name)


def _find_added_name(function: GoFunction, name: str) -> Node | None:
    """Return the node of the last result's name if it is ``name`` and :func:`find` added it."""
    result = function.node.child_by_field_name("result")
    if result is None or not _NAME.fullmatch(name.encode()):
        return None
    declared = _get_declarations(result)
    result_names = _get_names(declared[-1]) if declared else []
    last = result_names[-1] if result_names else None
    return last if last and grammar.text(last) == name.encode() else None


def _is_mentioned(tokens: list[Token], function: GoFunction, name: bytes) -> bool:
    first = bisect.bisect_left(tokens, function.start, key=lambda t: t.start)
    inside = itertools.takewhile(lambda t: t.start < function.close, tokens[first:])
    return any(t.text == name for t in inside)


def _remove_name(source: bytes, name: Node) -> Iterator[Edit]:
    declaration = name.parent
    result = declaration.parent if declaration else None
    if declaration is None or result is None:
        raise AssertionError("result name outside a list")
    declared = _get_declarations(result)
    match = _NAME.fullmatch(grammar.text(name))
    if (match and match[1]) or not _are_blank(declared, name):
        yield Edit(name.start_byte, name.end_byte, b"_")
        return
    text = grammar.text(result)
    if text in (b"(" + grammar.text(name) + gap + b"error)" for gap in (b" ", b"  ")):
        yield Edit(result.start_byte, result.end_byte, b"(error)" if b"  " in text else b"error")
        return
    for declaration in declared:
        first = _get_names(declaration)[0]
        end = first.end_byte
        yield delete(first.start_byte, end + (source[end : end + 1] == b" "))


def _are_blank(declared: list[Node], last: Node) -> bool:
    """Return whether every result has one name, and all except ``last`` are ``_``."""
    names = [_get_names(d) for d in declared]
    return all(len(n) == 1 and (n[0] == last or grammar.text(n[0]) == b"_") for n in names)
