"""Golden cases: their options and the rewriter's output."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path

from rewriter.edit import apply
from rewriter.errors import SourceError
from rewriter.filters import Filters, Location
from rewriter.python import Options, instrument_tree, plan_inject, plan_strip
from tests.support import txtar

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "python"
CASES = sorted(FOLDER.glob("*.txtar"))


@dataclass(frozen=True)
class Case:
    path: Path
    archive: txtar.Archive
    words: tuple[str, ...]

    @property
    def input(self) -> bytes:
        return self.archive.files["input.py"]

    def get_values(self, name: str) -> tuple[str, ...]:
        return tuple(w.partition("=")[2] for w in self.words if w.partition("=")[0] == name)

    @property
    def release(self) -> tuple[int, ...]:
        """Python version that the case needs."""
        return tuple(map(int, "".join(self.get_values("python") or ("3.10",)).split(".")))

    def options(self) -> Options:
        return Options(
            lambdas="lambdas" in self.words,
            skip_generated="skip-generated" in self.words,
            compiled=self.get_values("compiled"),
            filters=Filters(
                include=self.get_values("include"),
                exclude=self.get_values("exclude"),
                min_lines=int("".join(self.get_values("min-lines")) or 0),
                exported_only="exported-only" in self.words,
            ),
            location=Location("pkg/input.py", "pkg.input"),
        )

    def inject(self, source: bytes | None = None) -> bytes:
        return inject(self.input if source is None else source, self.options())

    def strip(self, source: bytes) -> bytes:
        return strip(source, self.options())

    def outcome(self) -> dict[str, bytes]:
        """Return the sections of the case with the rewriter's current output."""
        try:
            plan = plan_inject(self.input, self.options())
        except SourceError as error:
            # The message depends on the Python version.
            return {"error": f"{error.line}:{error.column}\n".encode()}
        skipped = [f"{s.function.name}: {s.reason}\n" for s in plan.skipped]
        skipped += [f"file: {plan.file_skip_reason}\n"] if plan.file_skip_reason else []
        made = {"source.py": apply(self.input, plan.edits)}
        return made | ({"skipped": "".join(skipped).encode()} if skipped else {})


def load(path: Path) -> Case:
    archive = txtar.load(path)
    return Case(path, archive, tuple(archive.files.get("args", b"").decode().split()))


def inject(source: bytes, options: Options) -> bytes:
    return apply(source, plan_inject(source, options).edits)


def strip(source: bytes, options: Options) -> bytes:
    return apply(source, plan_strip(source, options).edits)


def without_injected(tree: ast.Module) -> str:
    """Return the tree as text, without injected decorators, calls and imports.

    It deliberately does not use the rewriter's own proof.
    """
    text = ast.dump(tree)
    name = r"Name\(id='_functrace\d*_', ctx=Load\(\)\)"
    trace = rf"Attribute\(value={name}, attr='trace', ctx=Load\(\)\)"
    empty = ", decorator_list=[]" if sys.version_info < (3, 13) else ""
    text = re.sub(rf"(?:, {trace})+\]", "]", text)
    text = re.sub(rf", decorator_list=\[{trace}\]", empty, text)
    imported = r"Import\(names=\[alias\(name='functrace', asname='_functrace\d*_'\)\]\)"
    return re.sub(rf"{imported}, |, {imported}|{imported}", "", text)


def tree(source: bytes, options: Options) -> ast.Module:
    return instrument_tree(source, "input.py", options)


def run(program: bytes | ast.Module) -> str:
    """Return what the program prints, with a stub of the runtime."""
    stub = types.ModuleType("functrace")
    stub.trace = lambda function: function  # type: ignore[attr-defined]
    module = types.ModuleType("input")
    before = sys.modules.get("functrace"), sys.modules.get("input")
    sys.modules["functrace"], sys.modules["input"] = stub, module
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(program, "input.py", "exec", dont_inherit=True), module.__dict__)
    finally:
        for name, old in zip(("functrace", "input"), before, strict=True):
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old
    return printed.getvalue()
