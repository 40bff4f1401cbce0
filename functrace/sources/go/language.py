"""Go as a language of inject and strip."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.sources.go import runtime_copy, runtime_folder
from functrace.sources.go.module import Module, declared_in, module_of
from functrace.sources.go.planning import names_elsewhere, plan
from functrace.sources.go.runtime_imports import needed_by_runtime
from functrace.sources.request import Mode, Planner, Request, Verb
from functrace.sources.walk import Folder
from rewriter.filters import Location
from rewriter.golang import Options, find_package_level_names
from rewriter.plan import Plan

# Nothing but comments may stand before the clause that every file begins with.
_CLAUSE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|//[^\n]*\n|/\*.*?\*/)*package\s", re.DOTALL)


@dataclass(frozen=True)
class GoFolderRewriter:
    """The Go files of one folder.

    Attributes:
        verb: what to do with them.
        package: their import path, ``""`` if they have none.
        options: all except a file's location and its neighbours' names.
        skip_reason: why they are left alone, if they are.
    """

    verb: Verb
    package: str
    options: Options
    skip_reason: str | None = None

    # The import's name must be none that another file of the package declares.
    needs_neighbours = True

    @property
    def key(self) -> str:
        """Stands for all that is not the same in every folder of a run."""
        unrelated = sorted(self.options.unrelated_packages)
        return (
            f"{self.package} {self.options.runtime_import} {self.options.skip_reason} {unrelated}"
        )

    def create_planner(self, folder: Folder, texts: Mapping[str, bytes]) -> Planner:
        """What plans for each file; ``texts`` are all of the package."""
        declared = {name: find_package_level_names(text) for name, text in texts.items()}

        def planned(name: str, text: bytes) -> Plan:
            options = replace(
                self.options,
                location=Location(folder.name_of(name), self.package),
                package_names=names_elsewhere(name, declared),
            )
            return plan(self.verb, text, options)

        return planned


@dataclass(frozen=True)
class Go:
    """Go, with what a run asks of its rewriter.

    Attributes:
        options: for every file.
        runtime_import: the runtime to import, whatever the module has.
    """

    options: Options = field(default_factory=Options)
    runtime_import: str | None = None

    name = "Go"
    suffixes = (".go",)

    def is_source(self, path: Path) -> bool:
        """Whether a file that the user named is one of its sources."""
        return path.suffix in self.suffixes

    def matches_text(self, text: bytes) -> bool:
        """Whether ``text`` begins as only Go does."""
        return _CLAUSE.match(text) is not None

    def skip_reason(self, folder: Path, *, everything: bool) -> str | None:
        """Why the go command, or the runtime itself, leaves a folder out of the module."""
        if runtime_copy.version_in(folder):
            return "the functrace runtime"
        if everything:
            return None
        if folder.name.startswith("_"):
            return "name starts with _"
        if declared_in(folder) and module_of(folder.parent):
            return "nested module"
        return None

    def create_rewriter(self, verb: Verb, folder: Path) -> GoFolderRewriter:
        """What is done to the Go files of ``folder``."""
        module = module_of(folder)
        package = module.package(folder) if module else ""
        path = self.runtime_import or imported(module)
        own = package and package == path and verb is Verb.INJECT
        options = replace(
            self.options,
            runtime_import=path,
            skip_reason=_cycle(module, package, path),
            unrelated_packages=runtime_folder.namesakes(module) - {path} if module else frozenset(),
        )
        return GoFolderRewriter(verb, package, options, "the functrace runtime" if own else None)

    def prepare(self, request: Request, folders: Sequence[Path]) -> Iterator[str]:
        """Tell of sources whose import will lead nowhere.

        Raises:
            FunctraceError: they would be changed in place and no longer build.
        """
        if self.runtime_import or request.mode is Mode.TREE:
            return
        for module in dict.fromkeys(map(module_of, folders)):
            if module is None:
                yield (
                    f'no go.mod above the sources, so they import "{runtime_copy.OWN_PATH}"; '
                    "--runtime-import chooses another path"
                )
            elif not _existing(module):
                yield _missing(module, request.mode)

    def complete(self, request: Request, root: Path, folders: Sequence[Path]) -> Iterator[str]:
        """Put the runtime into each module of an output tree that has none."""
        if self.runtime_import or request.out is None:
            return
        out = request.out.resolve()
        for module in dict.fromkeys(map(module_of, folders)):
            if module is None:
                yield f'no go.mod: the sources import "{runtime_copy.OWN_PATH}"'
            elif not module.root.is_relative_to(root):
                yield f"no go.mod in the tree: name the root of module {module.path} to build it"
            elif not _existing(module):
                runtime_copy.add(out / runtime_folder.choose(module).relative_to(root))


def imported(module: Module | None) -> str:
    """The import path of the runtime for a module's files: the one it has, or would be given."""
    if module is None:
        return runtime_copy.OWN_PATH
    return _existing(module) or module.package(runtime_folder.choose(module))


def _existing(module: Module) -> str | None:
    """The import path of the runtime that the module has, in a folder or by its go.mod."""
    folder = runtime_folder.find(module)
    return module.package(folder) if folder else module.required_runtime()


def _cycle(module: Module | None, package: str, path: str) -> str | None:
    """Why the package cannot import the runtime, if so."""
    if module and package in needed_by_runtime(module, path):
        return "needed by the functrace runtime"
    return None


def _missing(module: Module, mode: Mode) -> str:
    """The note that a module has no runtime; raises where that would break its build."""
    advice = f"run `functrace runtime add {os.path.relpath(module.root)}`"
    if mode is Mode.IN_PLACE:
        raise FunctraceError(
            f"module {module.path} has no functrace runtime, so its sources would no "
            f"longer build: {advice}, or give --runtime-import. Nothing was changed."
        )
    return f"module {module.path} has no functrace runtime yet: {advice}"
