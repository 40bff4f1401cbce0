"""Which functions of a file are instrumented, which have a decorator already, which are left."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from rewriter import select
from rewriter.plan import Function, Skipped
from rewriter.python import directives, functions, imports, skip
from rewriter.python import names as own_names
from rewriter.python.errors import LeftAlone
from rewriter.python.functions import Def, PyFunction
from rewriter.python.names import TRACE
from rewriter.python.options import Options
from rewriter.python.resolve import Names
from rewriter.python.skip import Rules


@dataclass(frozen=True)
class Choice:
    """The functions of a file by what becomes of them."""

    chosen: tuple[PyFunction, ...]
    traced: tuple[Function, ...]
    skipped: tuple[Skipped, ...]
    matched: frozenset[str]


def file_reason(source: bytes, options: Options) -> str | None:
    """Why the file as a whole is left alone, as far as its bytes tell."""
    reason = skip.file_reason(source, options.place, skip_generated=options.skip_generated)
    return reason or select.file_reason(options.selection, options.place)


def may_hold_functions(source: bytes, options: Options) -> bool:
    """Whether it is worth the parsing."""
    return b"def" in source or (options.lambdas and b"lambda" in source)


def choose(tree: ast.Module, text: bytes, options: Options) -> Choice:
    """Sort the functions of a file.

    Raises:
        LeftAlone: a comment says so for the whole file.
    """
    said = directives.read(text)
    if said.skip_file:
        raise LeftAlone("# functrace: skip-file")
    names = Names(functions.statements(tree))
    rules = Rules(names, said, options.compiled)
    filtered = select.chooser(options.selection, options.place, _is_exported)
    with_lambdas = options.lambdas and b"lambda" in text
    chosen: list[PyFunction] = []
    traced: list[Function] = []
    skipped: list[Skipped] = []
    names_of: list[tuple[str, ...]] = []
    wrapped = _wrapped(tree, names, options.runtime_import) if with_lambdas else set()
    for found in functions.find(tree, rules.inherited, lambdas=with_lambdas):
        others = (*found.scope.around, found.qualname)
        names_of.append((found.function.name, *others))
        reason = rules.reason(found) or filtered(found, others)
        if _is_traced(found.node, names, options.runtime_import) or found.node in wrapped:
            traced.append(found.function)
        elif reason:
            skipped.append(Skipped(found.function, reason))
        else:
            chosen.append(found)
    matched = select.matched(options.selection, options.place, names_of)
    return Choice(tuple(chosen), tuple(traced), tuple(skipped), matched)


def name_for(tree: ast.Module, text: bytes, choice: Choice, runtime: str) -> tuple[str, bool]:
    """What the runtime is to be called, and whether an import must be added for that."""
    first = min(f.node.lineno for f in choice.chosen)
    for imported in imports.find(tree, runtime):
        name = imported.name
        uses = text.count(name.encode())
        if imported.node.lineno < first and uses == 1 + text.count(f"{name}.{TRACE}".encode()):
            return name, False
    return own_names.free(own_names.mentioned(text)), True


def _is_traced(node: Def | ast.Lambda, names: Names, runtime: str) -> bool:
    if isinstance(node, ast.Lambda):
        return False
    # A call with an argument is the trace of that: @trace(lambda f: f).
    plain = (d for d in node.decorator_list if not (isinstance(d, ast.Call) and d.args))
    return any(f"{runtime}.{TRACE}" in names.meanings(d) for d in plain)


def _wrapped(tree: ast.Module, names: Names, runtime: str) -> set[ast.AST]:
    """The lambdas that are an argument of ``functrace.trace``."""
    return {
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Lambda)
        and f"{runtime}.{TRACE}" in names.meanings(node.func)
    }


def _is_exported(found: PyFunction) -> bool:
    parts = found.function.name.split(".")
    is_public = all(not p.startswith(("_", "<")) or (p[:2] == p[-2:] == "__") for p in parts)
    return is_public and not found.scope.in_function
