"""Instrumentation of the modules that pytest's own loader compiles after rewriting asserts.

Functions are decorated before pytest rewrites the tree, so that its rewriting does not change. The
result is stored in functrace's cache, since pytest without functrace would run it from its own.
"""

from __future__ import annotations

import _imp
import ast
import contextlib
from functools import wraps
from pathlib import Path
from typing import Any

from functrace.cache import entries
from functrace.cache.folders import make_private
from functrace.pyimport import code_cache, loader
from functrace.runtime.stderr import write_message


def adapt(namespace: dict[str, Any]) -> None:
    """Patch ``_pytest.assertion.rewrite`` if it has the expected functions."""
    if not {"rewrite_asserts", "get_cache_dir", "ast"} <= namespace.keys():
        write_message("test modules are not traced: unsupported version of pytest")
        return
    if not loader.hook.config.cache:
        write_message("test modules are not traced: caching is disabled")
        return
    rewrite, folder = namespace["rewrite_asserts"], namespace["get_cache_dir"]

    @wraps(rewrite)
    def rewrite_asserts(mod: ast.Module, source: bytes, *rest: Any, **more: Any) -> None:
        file = rest[0] if rest else more.get("module_path")
        if file is not None and _is_selected(file):
            _decorate(mod, source, file)
        rewrite(mod, source, *rest, **more)

    @wraps(folder)
    def get_cache_dir(file_path: Path) -> Path:
        if not _is_selected(str(file_path)):
            original: Path = folder(file_path)
            return original
        _restore_count(str(file_path))
        private = _folder(file_path)
        make_private(str(private))
        return private

    namespace.update(rewrite_asserts=rewrite_asserts, get_cache_dir=get_cache_dir)
    if {"_read_pyc", "_write_pyc"} <= namespace.keys():
        _check_bytecode(namespace)


def _check_bytecode(namespace: dict[str, Any]) -> None:
    """Prevent pytest from running damaged bytecode from the cache."""
    read, write = namespace["_read_pyc"], namespace["_write_pyc"]

    @wraps(read)
    def _read_pyc(source: Path, pyc: Path, *rest: Any, **more: Any) -> Any:
        if _is_in_cache(pyc) and _digest(pyc) != _stored_digest(pyc):
            return None
        return read(source, pyc, *rest, **more)

    @wraps(write)
    def _write_pyc(state: Any, co: Any, source_stat: Any, pyc: Path) -> Any:
        written = write(state, co, source_stat, pyc)
        if _is_in_cache(pyc):
            entries.put(loader.hook.config.cache, _key(pyc), _digest(pyc))
        return written

    namespace.update(_read_pyc=_read_pyc, _write_pyc=_write_pyc)


def _is_in_cache(pyc: Path) -> bool:
    return Path(loader.hook.config.cache) in Path(pyc).parents


def _digest(pyc: Path) -> bytes:
    """Return a digest of the file; an empty one if it cannot be read."""
    try:
        return _imp.source_hash(0, Path(pyc).read_bytes())
    except OSError:
        return b""


def _stored_digest(pyc: Path) -> bytes | None:
    return entries.read(loader.hook.config.cache, _key(pyc))


def _key(pyc: Path) -> str:
    return code_cache.digest(f"pytest\0{pyc}")


def _is_selected(file: str) -> bool:
    return loader.hook.filter.is_selected(_name(file), file)


def _folder(file: Path) -> Path:
    """Return the cache directory for the directory of ``file``."""
    key = code_cache.digest(f"{loader.hook.key}\0pytest\0{file.parent}")
    return Path(loader.hook.config.cache, key[:2], f"{key}.pytest")


def _count_file(file: str) -> Path:
    path = Path(file)
    return _folder(path) / f"{path.name}.functions"


def _restore_count(file: str) -> None:
    """Restore the function count of an earlier run; instrumenting again overwrites it."""
    with contextlib.suppress(OSError, ValueError):
        loader.hook.counts[file] = int(_count_file(file).read_text())


def _name(file: str) -> str:
    """Return the qualified module name of a file, including its packages."""
    path = Path(file)
    parts = [] if path.name == "__init__.py" else [path.stem]
    for folder in path.parents:
        if not Path(folder, "__init__.py").exists():
            break
        parts.insert(0, folder.name)
    return ".".join(parts)


def _decorate(tree: ast.Module, source: bytes, file: str) -> None:
    reply = loader.hook.compiler.request("functions", _name(file), file, source)
    if reply is None:
        write_message(f"{file} is not traced: the process that instruments sources did not start")
        return
    name, first, places = reply
    loader.hook.counts[file] = len(places)
    make_private(str(_count_file(file).parent))
    _count_file(file).write_text(str(len(places)))
    if places:
        _Decorator(name, set(places)).visit(tree)
        alias = ast.copy_location(ast.alias("functrace", name), tree.body[first])
        tree.body.insert(first, ast.copy_location(ast.Import([alias]), tree.body[first]))


class _Decorator(ast.NodeTransformer):
    """Decorates functions like :func:`rewriter.python.instrument_tree`, at given positions."""

    def __init__(self, name: str, places: set[tuple[int, int]]) -> None:
        self._name = name
        self._places = places

    def visit(self, node: ast.AST) -> Any:
        self.generic_visit(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and self._is_selected(node):
            node.decorator_list.append(self._trace(node))
        elif isinstance(node, ast.Lambda) and self._is_selected(node):
            return ast.copy_location(ast.Call(self._trace(node), [node], []), node)
        return node

    def _is_selected(self, node: ast.stmt | ast.expr) -> bool:
        return (node.lineno, node.col_offset) in self._places

    def _trace(self, node: ast.stmt | ast.expr) -> ast.Attribute:
        name = ast.Name(self._name, ast.Load())
        found = ast.Attribute(name, "trace", ast.Load())
        for part in (name, found):
            part.lineno = part.end_lineno = node.lineno
            part.col_offset = part.end_col_offset = node.col_offset
        return found
