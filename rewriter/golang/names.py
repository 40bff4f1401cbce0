"""A name for the import that nothing else in the package or the file bears."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from tree_sitter import Node

from rewriter.golang import grammar

BASE = "functrace"

# Both ways of declaring several at once: (var_declaration (var_spec_list (var_spec))) and flat.
_PACKAGE_LEVEL = """
(source_file (function_declaration name: (identifier) @n))
(source_file (var_declaration (var_spec name: (identifier) @n)))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @n))))
(source_file (const_declaration (const_spec name: (identifier) @n)))
(source_file (type_declaration (type_spec name: (type_identifier) @n)))
(source_file (type_declaration (type_alias name: (type_identifier) @n)))
"""
_IDENTIFIERS = "[(identifier) (type_identifier) (package_identifier)] @n"
_MENTION = re.compile(rb"\bfunctrace\d*\b")


def package_level_names(source: bytes) -> frozenset[str]:
    """The names like ``functrace`` that this file declares for its whole package.

    An error in the file does not matter here: what its tree still shows counts.
    """
    if BASE.encode() not in source:
        return frozenset()
    nodes = grammar.captures(_PACKAGE_LEVEL, grammar.parse(source).root_node)
    return frozenset(_likely(grammar.text(n) for n in nodes))


def taken(source: bytes, root: Node, runtime: frozenset[str]) -> frozenset[str]:
    """The names like ``functrace`` that this file gives to something.

    ``runtime`` are the aliases under which the file imports the runtime itself:
    where they stand before a selector they mean that import.
    """
    if BASE.encode() not in source:
        return frozenset()
    nodes = [n for n in grammar.captures(_IDENTIFIERS, root) if not _is_use(n, runtime)]
    return frozenset(_likely(grammar.text(n) for n in nodes))


def is_declared(root: Node, alias: str) -> bool:
    """Whether the file gives an import's alias to something else as well, such as a parameter."""
    alone = frozenset((alias,))
    named = (n for n in grammar.captures(_IDENTIFIERS, root) if n.text == alias.encode())
    return not all(_is_use(n, alone) for n in named)


def _is_use(node: Node, runtime: frozenset[str]) -> bool:
    parent = node.parent
    if grammar.text(node).decode(errors="replace") not in runtime or parent is None:
        return False
    return parent.type in ("selector_expression", "qualified_type", "import_spec")


def _likely(texts: Iterator[bytes]) -> Iterator[str]:
    return (t.decode() for t in texts if _MENTION.fullmatch(t))


def free(names: frozenset[str]) -> str:
    """The first of ``functrace``, ``functrace1``, ``functrace2`` … that is not among ``names``."""
    candidates = itertools.chain([BASE], (f"{BASE}{i}" for i in itertools.count(1)))
    return next(name for name in candidates if name not in names)
