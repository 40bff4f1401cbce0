"""What the process that compiles does for each request."""

from __future__ import annotations

import ast
import marshal
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

from functrace.cache import entries
from functrace.pyimport import code_cache, config
from functrace.pyimport.config import Config
from rewriter.errors import SkipFile
from rewriter.filters import Filters, Location
from rewriter.python import Options, instrument_tree
from rewriter.python import imports as runtime_imports
from rewriter.python.aliases import is_alias
from rewriter.python.classify import classify
from rewriter.python.parse import to_utf8

Warned = tuple[str, str, int]
"""what a compiler warned of: category, text, line"""

# What is run in the frame of the main module, before its first statement. Nothing of it stays.
_PROLOGUE = """(lambda at: exec(
    __import__("_frozen_importlib_external").SourceFileLoader("functrace.pyimport.boot", {boot!r})
    .get_code("functrace.pyimport.boot"), at) or at["begin"](globals(), {arguments}))({{}})"""
# ``python -m`` and programs in folders and archives: Python's own runpy, under a frame of ours
# that leaves no mark in a traceback.
_LAUNCHER = """try:
    {prologue}()
except BaseException as _functrace_:
    __import__("sys").modules["functrace.pyimport.program"].hide(_functrace_)
    raise
"""
_BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")


def reply(request: tuple[Any, ...]) -> Any:
    """What one request asks for; the request's first element is the configuration."""
    text, kind, *arguments = request
    return _KINDS[kind](config.parse(text), *arguments)


def _module(
    asked: Config,
    name: str,
    file: str,
    source: bytes,
    stamp: tuple[float, int],
    key: str,
    traced: bool,
    footer: str,
    optimize: int,
) -> tuple[bytes, list[Warned], str]:
    """A module's code as the cache has it, what its compiler warned of, and what went wrong."""
    try:
        with _warned() as told:
            tree = _tree(asked, name, file, source) if traced else ast.parse(source, file)
            functions = len(list(_places(tree)))
            if footer:
                tree.body.append(
                    _statement(f"__import__({footer!r}, fromlist=['']).adapt(globals())")
                )
            code = compile(tree, file, "exec", dont_inherit=True, optimize=optimize)
    except SyntaxError:
        return b"", [], ""  # Python itself says it best
    except Exception as error:  # noqa: BLE001 -- whatever it is, the program runs on
        return b"", [], f"{type(error).__name__}: {error}"
    content = code_cache.pack(code, functions, code_cache.Stamp(*stamp))
    entries.put(asked.cache, key, content)
    left = _reason(asked, name, file, source) if traced and not functions else ""
    return content, list(told), left


def _main(asked: Config, file: str, source: bytes, kind: str, optimize: int) -> bytes:
    """Return the main module as a file of bytecode, empty if Python has to say what is wrong."""
    try:
        with _warned() as told:
            tree = _tree(asked, "__main__", file, source)
            functions = len(list(_places(tree)))
            code = _begun(tree, file, f"{kind!r}, {file!r}, {functions}, ", told, optimize)
    except Exception:  # noqa: BLE001 -- Python itself says it best
        return b""
    return _runnable(code)


def _begun(
    tree: ast.Module, file: str, arguments: str, told: list[Warned], optimize: int
) -> CodeType:
    """The tree compiled, with our prologue."""
    compile(tree, file, "exec", dont_inherit=True, optimize=optimize)  # for what it warns of
    first = runtime_imports.count_prologue(tree)
    begin = _statement(_PROLOGUE.format(boot=_BOOT, arguments=f"{arguments}{told!r}"))
    line = tree.body[first].lineno if first < len(tree.body) else 1
    for node in ast.walk(begin):
        if isinstance(node, (ast.expr, ast.stmt)):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    tree.body.insert(first, begin)
    return compile(tree, file, "exec", dont_inherit=True, optimize=optimize)


def _launcher(_: Config) -> bytes:
    """Return the main module of a program that ``runpy`` finds as a file of bytecode."""
    prologue = _PROLOGUE.format(boot=_BOOT, arguments="'launcher', '', 0, []")
    text = _LAUNCHER.format(prologue=prologue.replace("\n", ""))
    return _runnable(compile(text, "<functrace>", "exec", dont_inherit=True))


def _runnable(code: CodeType) -> bytes:
    return code_cache.MAGIC + bytes(12) + marshal.dumps(code)


def _functions(
    asked: Config, name: str, file: str, source: bytes
) -> tuple[str, int, list[tuple[int, int]]]:
    """What the runtime is called in a file, before which statement it is imported, and the places
    of the functions to be decorated.
    """
    tree = _tree(asked, name, file, source)
    found = list(_places(tree))
    name = found[0][0] if found else ""
    return name, runtime_imports.count_prologue(tree), [(line, at) for _, line, at in found]


_KINDS: dict[str, Callable[..., Any]] = {
    "module": _module,
    "main": _main,
    "launcher": _launcher,
    "functions": _functions,
}


def _tree(asked: Config, name: str, file: str, source: bytes) -> ast.Module:
    return instrument_tree(source, file, _options(asked, name, file))


def _options(asked: Config, name: str, file: str) -> Options:
    inside = file.startswith(asked.root.rstrip("/") + "/")
    path = os.path.relpath(file, asked.root) if inside else file
    filters = Filters(
        asked.include, asked.exclude, asked.min_lines, exported_only=bool(asked.exported_only)
    )
    return Options(
        lambdas=bool(asked.lambdas),
        skip_generated=bool(asked.skip_generated),
        compiled=asked.compiled,
        filters=filters,
        location=Location(path, name, name.rpartition(".")[2]),
    )


def _reason(asked: Config, name: str, file: str, source: bytes) -> str:
    """Why a file in which nothing was instrumented was left alone, unless that was asked for."""
    try:
        classify(ast.parse(source), to_utf8(source), _options(asked, name, file))
    except SkipFile as skip:
        return "" if skip.reason.startswith("#") else skip.reason
    return ""


def _places(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Our name and the position of every function that instrument_tree decorated."""
    for node in ast.walk(tree):
        what: ast.expr | ast.stmt
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.decorator_list:
            last, what = node.decorator_list[-1], node
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Lambda):
            last, what = node.func, node.args[0]
        else:
            continue
        name = last.value if isinstance(last, ast.Attribute) else None
        # One that was there before has a place of its own.
        is_new = (last.lineno, last.col_offset) == (what.lineno, what.col_offset)
        if isinstance(name, ast.Name) and is_alias(name.id) and is_new:
            yield name.id, what.lineno, what.col_offset


def _statement(text: str) -> ast.stmt:
    return ast.parse(text.replace("\n", "")).body[0]


@contextmanager
def _warned() -> Iterator[list[Warned]]:
    """What is warned of in between."""
    told: list[Warned] = []

    def tell(
        message: Warning | str,
        category: type[Warning],
        filename: str,  # noqa: ARG001
        lineno: int,
        file: object = None,  # noqa: ARG001
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        entry = (category.__name__, str(message), lineno)
        if entry not in told:
            told.append(entry)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = tell
        yield told
