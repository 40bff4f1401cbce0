"""Injection of trace calls into a syntax tree, which keeps line numbers, for the import hook."""

from __future__ import annotations

import ast

from rewriter.errors import SkipFile
from rewriter.python import imports
from rewriter.python.aliases import TRACE
from rewriter.python.classify import (
    choose_alias,
    classify,
    get_file_skip_reason,
    may_have_functions,
)
from rewriter.python.functions import PyFunction
from rewriter.python.options import Options
from rewriter.python.parse import to_utf8


def instrument_tree(source: bytes, filename: str, options: Options) -> ast.Module:
    """Return the tree of ``source`` with a decorator on every selected function.

    Added nodes have the position of ``def``, so that every line keeps its number and
    a function its first line. The tree of a skipped file is unchanged.

    Raises:
        SyntaxError: as Python itself would, with its filename.
    """
    tree = ast.parse(source, filename)
    if get_file_skip_reason(source, options) or not may_have_functions(source, options):
        return tree
    try:
        text = to_utf8(source)
        found = classify(tree, text, options)
    except SkipFile:
        return tree
    if not found.to_instrument:
        return tree
    alias, is_new = choose_alias(tree, text, found, options.runtime_import)
    for function in found.to_instrument:
        _decorate(function, alias)
    if is_new:
        _add_import(tree, options.runtime_import, alias)
    return tree


def _decorate(found: PyFunction, alias: str) -> None:
    node = found.node
    trace = ast.Attribute(ast.Name(alias, ast.Load()), TRACE, ast.Load())
    for part in (trace, trace.value):
        # An attribute is looked up on its last line, where a debugger would stop once more.
        part.lineno = part.end_lineno = node.lineno
        part.col_offset = part.end_col_offset = node.col_offset
    if isinstance(node, ast.Lambda):
        found.slot.set(ast.copy_location(ast.Call(trace, [node], []), node))
    else:
        node.decorator_list.append(trace)


def _add_import(tree: ast.Module, runtime: str, alias: str) -> None:
    first = imports.count_prologue(tree)
    node = ast.copy_location(ast.alias(runtime, alias), tree.body[first])
    tree.body.insert(first, ast.copy_location(ast.Import([node]), tree.body[first]))
