"""Golden cases: their options and the rewriter's output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rewriter.edit import apply
from rewriter.errors import SourceError
from rewriter.filters import Filters, Location
from rewriter.globs import split_globs
from rewriter.golang import Layout, Options, find_package_level_names, plan_inject, plan_strip
from tests.support import txtar

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "go"
CASES = sorted(FOLDER.glob("*.txtar"))
RUNTIME = "example.com/golden/functrace"
# Stub of the runtime to compile the outputs with.
FUNCTRACE = """package functrace

type Call struct{}

func Trace() func()     { return func() {} }
func Enter() Call       { return Call{} }
func Exit(Call, *error) {}
"""


@dataclass(frozen=True)
class Case:
    path: Path
    archive: txtar.Archive
    arguments: dict[str, str]

    @property
    def input(self) -> bytes:
        return self.archive.files["input.go"]

    @property
    def release(self) -> tuple[int, int]:
        """Go version that the case needs."""
        major, _, minor = self.arguments.get("go", "1.21").partition(".")
        return int(major), int(minor)

    def options(self, layout: Layout) -> Options:
        arguments = self.arguments
        return Options(
            runtime_import=arguments.get("runtime-import", RUNTIME),
            layout=layout,
            closures="closures" in arguments,
            errors="errors" in arguments,
            skip_generated="skip-generated" in arguments,
            filters=Filters(
                include=tuple(split_globs(arguments.get("include", ""))),
                exclude=tuple(split_globs(arguments.get("exclude", ""))),
                min_lines=int(arguments.get("min-lines", 0)),
                exported_only="exported-only" in arguments,
            ),
            location=Location("pkg/input.go", "example.com/golden/pkg"),
            package_names=find_package_level_names(self.archive.files.get("sibling.go", b"")),
        )

    def inject(self, layout: Layout, source: bytes | None = None) -> bytes:
        text = self.input if source is None else source
        return apply(text, plan_inject(text, self.options(layout)).edits)

    def strip(self, layout: Layout, source: bytes) -> bytes:
        return apply(source, plan_strip(source, self.options(layout)).edits)

    def outcome(self) -> dict[str, bytes]:
        """Return the sections of the case with the rewriter's current output."""
        try:
            plan = plan_inject(self.input, self.options(Layout.SOURCE))
        except SourceError as error:
            return {"error": f"{error}\n".encode()}
        skipped = [f"{s.function.name}: {s.reason}\n" for s in plan.skipped]
        skipped += [f"file: {plan.file_skip_reason}\n"] if plan.file_skip_reason else []
        made = {"source.go": self.inject(Layout.SOURCE), "build.go": self.inject(Layout.BUILD)}
        return made | ({"skipped": "".join(skipped).encode()} if skipped else {})


def load(path: Path) -> Case:
    archive = txtar.load(path)
    words = archive.files.get("args", b"").decode().split()
    return Case(path, archive, {w.partition("=")[0]: w.partition("=")[2] for w in words})
