"""Python as a language of inject and strip."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from functrace.sources.python import runtime_install
from functrace.sources.python.packages import module_of, package_of
from functrace.sources.request import Mode, Planner, Request, Verb
from functrace.sources.walk import Folder
from rewriter.filters import Location
from rewriter.plan import Plan
from rewriter.python import Options, plan_inject, plan_strip

_PLANNERS: dict[Verb, Callable[[bytes, Options], Plan]] = {
    Verb.INJECT: plan_inject,
    Verb.STRIP: plan_strip,
}
_INTERPRETER = re.compile(rb"#!.*\b(?:python|pypy|uv run)")
_STUB = ".pyi"
_RUNTIME = "the functrace runtime"


@dataclass(frozen=True)
class PythonFolderRewriter:
    """The Python files of one folder.

    Attributes:
        verb: what to do with them.
        package: its dotted name, ``""`` if it is none.
        options: all except a file's location.
        skip_reason: why they are left alone, if they are.
    """

    verb: Verb
    package: str
    options: Options
    skip_reason: str | None = None

    needs_neighbours = False

    @property
    def key(self) -> str:
        """Stands for all that is not the same in every folder of a run."""
        return self.package

    def create_planner(self, folder: Folder, texts: Mapping[str, bytes]) -> Planner:  # noqa: ARG002
        """What plans for each file, whatever the others are."""
        planner = _PLANNERS[self.verb]
        runtime = self.options.runtime_import

        def planned(name: str, text: bytes) -> Plan:
            module = module_of(self.package, name)
            if self.verb is Verb.INJECT and f"{module}.".startswith(f"{runtime}."):
                return Plan(file_skip_reason=_RUNTIME)
            location = Location(folder.name_of(name), module)
            return planner(text, replace(self.options, location=location))

        return planned


@dataclass(frozen=True)
class Python:
    """Python, with what a run asks of its rewriter."""

    options: Options = field(default_factory=Options)

    name = "Python"
    suffixes = (".py", ".pyw")

    def is_source(self, path: Path) -> bool:
        """Whether a file that the user named is one of its sources, by its name or first line."""
        if path.suffix in (*self.suffixes, _STUB):
            return True
        with open(path, "rb") as file:
            return not path.suffix and _INTERPRETER.match(file.readline(200)) is not None

    def matches_text(self, text: bytes) -> bool:  # noqa: ARG002
        """Whether ``text`` may be Python, which has no beginning of its own."""
        return True

    def skip_reason(self, folder: Path, *, everything: bool) -> str | None:  # noqa: ARG002
        """Why a folder is left alone that other languages have nothing against."""
        return _RUNTIME if runtime_install.is_ours(folder) else None

    def create_rewriter(self, verb: Verb, folder: Path) -> PythonFolderRewriter:
        """What is done to the Python files of ``folder``."""
        own = verb is Verb.INJECT and any(map(runtime_install.is_ours, (folder, *folder.parents)))
        return PythonFolderRewriter(
            verb, package_of(folder), self.options, _RUNTIME if own else None
        )

    def prepare(self, request: Request, folders: Sequence[Path]) -> Iterator[str]:  # noqa: ARG002
        """Nothing stands in the way: what is not there yet can be installed later."""
        yield from ()

    def complete(self, request: Request, root: Path, folders: Sequence[Path]) -> Iterator[str]:
        """Say what must be importable, and what would be imported in its place."""
        if not folders or request.mode not in (Mode.IN_PLACE, Mode.TREE):
            return
        module = self.options.runtime_import
        if module != runtime_install.MODULE:
            yield f"the Python sources import {module}"
            return
        if not runtime_install.is_installed(root):
            yield (
                f"the Python sources import {module}: "
                f"`pip install {runtime_install.DISTRIBUTION}` where they run"
            )
        for other in runtime_install.foreign(root, folders):
            yield (
                f"{other} is another {module}, and would be imported instead: take it away, "
                "or let --runtime-import name a module of yours that has our trace"
            )
