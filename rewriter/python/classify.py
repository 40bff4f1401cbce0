"""Classification of a file's functions: to instrument, already traced, skipped."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from rewriter import filters
from rewriter.errors import SkipFile
from rewriter.plan import Function, Skipped
from rewriter.python import aliases, directives, functions, imports, skip_rules
from rewriter.python.aliases import TRACE
from rewriter.python.functions import Def, PyFunction
from rewriter.python.imported_names import ImportedNames
from rewriter.python.options import Options


@dataclass(frozen=True)
class Classification:
    """Functions of a file by what happens to them."""

    to_instrument: tuple[PyFunction, ...]
    traced: tuple[Function, ...]
    skipped: tuple[Skipped, ...]
    matched_globs: frozenset[str]


def get_file_skip_reason(source: bytes, options: Options) -> str | None:
    """Return why the whole file is skipped, as far as that is known without parsing it."""
    reason = skip_rules.get_file_skip_reason(
        source, options.location, skip_generated=options.skip_generated
    )
    return reason or filters.get_file_skip_reason(options.filters, options.location)


def may_have_functions(source: bytes, options: Options) -> bool:
    """Return whether the file needs to be parsed."""
    return b"def" in source or (options.lambdas and b"lambda" in source)


def classify(tree: ast.Module, text: bytes, options: Options) -> Classification:
    """Classify the functions of a file.

    Raises:
        SkipFile: a comment requests that the whole file is skipped.
    """
    found_directives = directives.read(text)
    if found_directives.skip_file:
        raise SkipFile("# functrace: skip-file")
    names = ImportedNames(functions.list_statements(tree))
    rules = skip_rules.Rules(names, found_directives, options.compiled)
    get_filter_reason = filters.make_filter(options.filters, options.location, _is_exported)
    with_lambdas = options.lambdas and b"lambda" in text
    to_instrument: list[PyFunction] = []
    traced: list[Function] = []
    skipped: list[Skipped] = []
    all_names: list[str] = []
    wrapped = _find_wrapped(tree, names, options.runtime_import) if with_lambdas else set()
    for found in functions.find(tree, rules.get_inherited_reason, lambdas=with_lambdas):
        all_names.append(found.function.name)
        reason = rules.get_skip_reason(found) or get_filter_reason(found)
        if _is_traced(found.node, names, options.runtime_import) or found.node in wrapped:
            traced.append(found.function)
        elif reason:
            skipped.append(Skipped(found.function, reason))
        else:
            to_instrument.append(found)
    globs = filters.find_matching_globs(options.filters, options.location, all_names)
    return Classification(tuple(to_instrument), tuple(traced), tuple(skipped), globs)


def choose_alias(
    tree: ast.Module, text: bytes, classification: Classification, runtime: str
) -> tuple[str, bool]:
    """Return the runtime's alias, and whether an import with that alias must be added."""
    first = min(f.node.lineno for f in classification.to_instrument)
    for imported in imports.find(tree, runtime):
        alias = imported.alias_name
        uses = text.count(alias.encode())
        if imported.node.lineno < first and uses == 1 + text.count(f"{alias}.{TRACE}".encode()):
            return alias, False
    return aliases.choose_alias(aliases.find_mentions(text)), True


def _is_traced(node: Def | ast.Lambda, names: ImportedNames, runtime: str) -> bool:
    if isinstance(node, ast.Lambda):
        return False
    # A call with an argument traces that argument: @trace(lambda f: f).
    plain = (d for d in node.decorator_list if not (isinstance(d, ast.Call) and d.args))
    return any(f"{runtime}.{TRACE}" in names.resolve(d) for d in plain)


def _find_wrapped(tree: ast.Module, names: ImportedNames, runtime: str) -> set[ast.AST]:
    """Return the lambdas that are an argument of ``functrace.trace``."""
    return {
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Lambda)
        and f"{runtime}.{TRACE}" in names.resolve(node.func)
    }


def _is_exported(found: PyFunction) -> bool:
    parts = found.function.name.split(".")
    is_public = all(not p.startswith(("_", "<")) or (p[:2] == p[-2:] == "__") for p in parts)
    return is_public and not found.scope.in_function
