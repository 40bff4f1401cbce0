"""Which functions of a file are instrumented, which have a decorator already, which are left."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from rewriter import select
from rewriter.plan import Function, Skipped
from rewriter.python import directives, functions
from rewriter.python.errors import LeftAlone
from rewriter.python.functions import Def, PyFunction
from rewriter.python.options import Options
from rewriter.python.resolve import Names
from rewriter.python.skip import Rules


@dataclass(frozen=True)
class Choice:
    """The functions of a file by what becomes of them."""

    chosen: tuple[PyFunction, ...]
    traced: tuple[Function, ...]
    skipped: tuple[Skipped, ...]


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
    filtered = _filter(options)
    with_lambdas = options.lambdas and b"lambda" in text
    chosen: list[PyFunction] = []
    traced: list[Function] = []
    skipped: list[Skipped] = []
    wrapped = _wrapped(tree, names, options.runtime_import) if with_lambdas else set()
    for found in functions.find(tree, rules.inherited, lambdas=with_lambdas):
        reason = rules.reason(found) or filtered(found)
        if _is_traced(found.node, names, options.runtime_import) or found.node in wrapped:
            traced.append(found.function)
        elif reason:
            skipped.append(Skipped(found.function, reason))
        else:
            chosen.append(found)
    return Choice(tuple(chosen), tuple(traced), tuple(skipped))


def _is_traced(node: Def | ast.Lambda, names: Names, runtime: str) -> bool:
    if isinstance(node, ast.Lambda):
        return False
    # A call with an argument is the trace of that: @trace(lambda f: f).
    plain = (d for d in node.decorator_list if not (isinstance(d, ast.Call) and d.args))
    return any(f"{runtime}.trace" in names.meanings(d) for d in plain)


def _wrapped(tree: ast.Module, names: Names, runtime: str) -> set[ast.AST]:
    """The lambdas that are an argument of ``functrace.trace``."""
    return {
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Lambda)
        and f"{runtime}.trace" in names.meanings(node.func)
    }


def _filter(options: Options) -> Callable[[PyFunction], str | None]:
    """Why the filters do not take a function.

    A glob that names a class or a function names what is in it, too.
    """
    selection = options.selection
    includes = replace(selection, exclude=(), min_lines=0, exported_only=False)
    excludes = replace(selection, include=(), exported_only=False)
    included = select.chooser(includes, options.place, _anything)
    excluded = select.chooser(excludes, options.place, _anything)
    has_globs = bool(selection.include or selection.exclude)

    def reason(found: PyFunction) -> str | None:
        names = _spellings(found) if has_globs else [""]
        missed = [included(found.function, name) for name in names]
        hit = [excluded(found.function, name) for name in names]
        said = missed[0] if all(missed) else next(filter(None, hit), None)
        if said is None and selection.exported_only and not _is_exported(found):
            return "not exported"
        return said

    return reason


def _anything(_name: str) -> bool:
    return True


def _spellings(found: PyFunction) -> list[str]:
    """The names of what is around it, and its own as Python spells it."""
    return [*found.scope.around, found.qualname]


def _is_exported(found: PyFunction) -> bool:
    parts = found.function.name.split(".")
    is_public = all(not p.startswith(("_", "<")) or (p[:2] == p[-2:] == "__") for p in parts)
    return is_public and not found.scope.in_function
