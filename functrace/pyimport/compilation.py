"""Request handlers of the compile server.

They compile instrumented modules, main modules and the launcher of ``python -m``, and list the
positions of a module's functions.
"""

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
"""a compiler warning: category, text, line"""

# Runs in the main module's frame before its first statement and leaves nothing behind.
_PROLOGUE = """(lambda at: exec(
    __import__("_frozen_importlib_external").SourceFileLoader("functrace.pyimport.boot", {boot!r})
    .get_code("functrace.pyimport.boot"), at) or at["begin"](globals(), {arguments}))({{}})"""
# Starts ``python -m`` and programs in directories and archives through Python's own runpy; its
# frame is removed from tracebacks.
_LAUNCHER = """try:
    {prologue}()
except BaseException as _functrace_:
    __import__("sys").modules["functrace.pyimport.program"].hide_frame(_functrace_)
    raise
"""
_BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")


def handle(request: tuple[Any, ...]) -> Any:
    """Return the reply to a request: configuration, kind and arguments."""
    text, kind, *arguments = request
    return _KINDS[kind](config.parse(text), *arguments)


def _module(
    settings: Config,
    name: str,
    file: str,
    source: bytes,
    stamp: tuple[float, int],
    key: str,
    traced: bool,
    footer: str,
    optimize: int,
) -> tuple[bytes, list[Warned], str]:
    """Return a module's cache entry, the compiler's warnings, and why it was skipped."""
    try:
        with _recorded_warnings() as warned:
            tree = _tree(settings, name, file, source) if traced else ast.parse(source, file)
            functions = len(list(_places(tree)))
            if footer:
                tree.body.append(
                    _statement(f"__import__({footer!r}, fromlist=['']).adapt(globals())")
                )
            code = compile(tree, file, "exec", dont_inherit=True, optimize=optimize)
    except SyntaxError:
        return b"", [], ""  # Python itself reports it
    except Exception as error:  # noqa: BLE001 -- the program must continue
        return b"", [], f"{type(error).__name__}: {error}"
    content = code_cache.pack(code, functions, code_cache.Stamp(*stamp))
    entries.put(settings.cache, key, content)
    skip_reason = _skip_reason(settings, name, file, source) if traced and not functions else ""
    return content, list(warned), skip_reason


def _main(settings: Config, file: str, source: bytes, kind: str, optimize: int) -> bytes:
    """Return the main module as a bytecode file, empty if Python must report an error."""
    try:
        with _recorded_warnings() as warned:
            tree = _tree(settings, "__main__", file, source)
            functions = len(list(_places(tree)))
            arguments = f"{kind!r}, {file!r}, {functions}, "
            kept = source if kind == "stdin" else b""
            code = _compile_with_prologue(tree, file, arguments, warned, kept, optimize)
    except Exception:  # noqa: BLE001 -- Python itself reports it
        return b""
    return _runnable(code)


def _compile_with_prologue(
    tree: ast.Module,
    file: str,
    arguments: str,
    warned: list[Warned],
    source: bytes,
    optimize: int,
) -> CodeType:
    """Insert the prologue that calls ``begin``, and compile the tree.

    The source is passed on if there are warnings: the program's filters may make them errors.
    """
    compile(tree, file, "exec", dont_inherit=True, optimize=optimize)  # only for its warnings
    first = runtime_imports.count_prologue(tree)
    kept = source if warned else b""
    begin = _statement(_PROLOGUE.format(boot=_BOOT, arguments=f"{arguments}{warned!r}, {kept!r}"))
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
    settings: Config, name: str, file: str, source: bytes
) -> tuple[str, int, list[tuple[int, int]]]:
    """Return the runtime's alias, the index of the statement to import it before, and the
    positions of the functions to decorate.
    """
    tree = _tree(settings, name, file, source)
    found = list(_places(tree))
    name = found[0][0] if found else ""
    return name, runtime_imports.count_prologue(tree), [(line, at) for _, line, at in found]


_KINDS: dict[str, Callable[..., Any]] = {
    "module": _module,
    "main": _main,
    "launcher": _launcher,
    "functions": _functions,
}


def _tree(settings: Config, name: str, file: str, source: bytes) -> ast.Module:
    return instrument_tree(source, file, _options(settings, name, file))


def _options(settings: Config, name: str, file: str) -> Options:
    inside = file.startswith(settings.root.rstrip("/") + "/")
    path = os.path.relpath(file, settings.root) if inside else file
    filters = Filters(
        include=settings.include,
        exclude=settings.exclude,
        include_path=settings.include_path,
        exclude_path=settings.exclude_path,
        min_lines=settings.min_lines,
        exported_only=bool(settings.exported_only),
    )
    return Options(
        lambdas=bool(settings.lambdas),
        skip_generated=bool(settings.skip_generated),
        compiled=settings.compiled,
        filters=filters,
        location=Location(path, name),
    )


def _skip_reason(settings: Config, name: str, file: str, source: bytes) -> str:
    """Return why nothing in a file was instrumented; empty if the file itself requests that."""
    try:
        classify(ast.parse(source), to_utf8(source), _options(settings, name, file))
    except SkipFile as skip:
        return "" if skip.reason.startswith("#") else skip.reason
    return ""


def _places(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Yield the runtime's alias and the position of every function that was decorated."""
    for node in ast.walk(tree):
        what: ast.expr | ast.stmt
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.decorator_list:
            last, what = node.decorator_list[-1], node
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Lambda):
            last, what = node.func, node.args[0]
        else:
            continue
        name = last.value if isinstance(last, ast.Attribute) else None
        # A decorator of the source has its own position.
        is_new = (last.lineno, last.col_offset) == (what.lineno, what.col_offset)
        if isinstance(name, ast.Name) and is_alias(name.id) and is_new:
            yield name.id, what.lineno, what.col_offset


def _statement(text: str) -> ast.stmt:
    return ast.parse(text.replace("\n", "")).body[0]


@contextmanager
def _recorded_warnings() -> Iterator[list[Warned]]:
    """Yield a list to which the block's warnings are appended."""
    warned: list[Warned] = []

    def record(
        message: Warning | str,
        category: type[Warning],
        filename: str,  # noqa: ARG001
        lineno: int,
        file: object = None,  # noqa: ARG001
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        entry = (category.__name__, str(message), lineno)
        if entry not in warned:
            warned.append(entry)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = record
        yield warned
