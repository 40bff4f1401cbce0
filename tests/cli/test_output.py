"""Verbs print through functrace.cli.render.terminal, the rest through functrace.messages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import functrace

ROOT = Path(functrace.__file__).parent
# They escape themselves. functrace.runtime, which runs in the program, has its own.
_MAY_PRINT = (
    "cli/render/terminal.py",
    "text/safe_text.py",
    "messages.py",
    "export/otlp/live/sender.py",
    "watch/save_process.py",  # JSON for the watcher that started it
)
_CLICK = {"echo", "secho", "style", "echo_via_pager", "get_text_stream", "get_binary_stream"}
_HARMLESS = {"isatty", "flush", "fileno", "reconfigure"}


def test_nothing_bypasses_the_escaping_writers() -> None:
    files = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "runtime"]
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        if path.relative_to(ROOT).as_posix() not in _MAY_PRINT
        for line in _prints(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()


def test_check_detects_every_way_to_print() -> None:
    ways = [
        "print(1)",
        "click.echo(1)",
        "click.style('a')",
        "sys.stdout.write('a')",
        "sys.stderr.buffer.write(b'')",
        "os.write(2, b'')",
        "sys.exit('no')",
        "from click import echo",
    ]
    assert [list(_prints(ast.parse(way))) for way in ways] == [[1]] * len(ways)
    assert list(_prints(ast.parse("sys.stdout.flush()\nsys.exit(1)\nos.write(file, b'')"))) == []


def _prints(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "click":
            yield from (node.lineno for name in node.names if name.name in _CLICK)
        elif isinstance(node, ast.Attribute) and _is_stream(node.value):
            if node.attr not in _HARMLESS:
                yield node.lineno
        elif isinstance(node, ast.Call) and _is_printing(node):
            yield node.lineno


def _is_stream(node: ast.expr) -> bool:
    return ast.unparse(node) in ("sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__")


def _is_printing(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    first = call.args[0] if call.args else None
    value = first.value if isinstance(first, ast.Constant) else None
    return (
        name == "print"
        or name in {f"click.{each}" for each in _CLICK}
        or (name == "os.write" and value in (1, 2))
        or (name == "sys.exit" and isinstance(value, str))
    )
