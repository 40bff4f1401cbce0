"""The same injection into a tree, for an import hook: no byte and no line changes."""

from __future__ import annotations

import ast

from rewriter.python import imports
from rewriter.python.choose import choose, file_reason, may_hold_functions, name_for
from rewriter.python.errors import LeftAlone
from rewriter.python.functions import PyFunction
from rewriter.python.names import TRACE
from rewriter.python.options import Options
from rewriter.python.source import in_utf8


def instrument_tree(source: bytes, filename: str, options: Options) -> ast.Module:
    """The tree of ``source`` with a decorator on every function asked for, to be compiled.

    What is added stands where ``def`` does, so that every line keeps its number
    and a function its first line. A file that is left alone has its tree as it is.

    Raises:
        SyntaxError: as Python itself would, with its filename.
    """
    tree = ast.parse(source, filename)
    if file_reason(source, options) or not may_hold_functions(source, options):
        return tree
    try:
        text = in_utf8(source)
        choice = choose(tree, text, options)
    except LeftAlone:
        return tree
    if not choice.chosen:
        return tree
    name, is_new = name_for(tree, text, choice, options.runtime_import)
    for found in choice.chosen:
        _decorate(found, name)
    if is_new:
        _add_import(tree, options.runtime_import, name)
    return tree


def _decorate(found: PyFunction, name: str) -> None:
    node = found.node
    trace = ast.Attribute(ast.Name(name, ast.Load()), TRACE, ast.Load())
    for part in (trace, trace.value):
        # An attribute is looked up on its last line, where a debugger would stop once more.
        part.lineno = part.end_lineno = node.lineno
        part.col_offset = part.end_col_offset = node.col_offset
    if isinstance(node, ast.Lambda):
        found.slot.put(ast.copy_location(ast.Call(trace, [node], []), node))
    else:
        node.decorator_list.append(trace)


def _add_import(tree: ast.Module, runtime: str, name: str) -> None:
    first = imports.prologue(tree)
    alias = ast.copy_location(ast.alias(runtime, name), tree.body[first])
    tree.body.insert(first, ast.copy_location(ast.Import([alias]), tree.body[first]))
