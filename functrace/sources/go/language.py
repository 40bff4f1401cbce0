"""Go support of ``inject`` and ``strip``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.sources.go import runtime_copy, runtime_folder
from functrace.sources.go.module import Module, find_module, read_module
from functrace.sources.go.planning import names_declared_elsewhere, plan
from functrace.sources.go.required_runtime import find_required_runtime
from functrace.sources.go.runtime_imports import find_runtime_dependencies
from functrace.sources.run_request import Mode, Planner, Request, Verb
from functrace.sources.walk import Folder
from rewriter.filters import Location
from rewriter.golang import Options, find_package_level_names
from rewriter.plan import Plan

# Every file begins with this clause; only comments may precede it.
_CLAUSE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|//[^\n]*\n|/\*.*?\*/)*package\s", re.DOTALL)


@dataclass(frozen=True)
class GoFolderRewriter:
    """Rewriter of the Go files in one directory.

    Attributes:
        verb: the operation.
        package: their import path, ``""`` if they have none.
        options: all except a file's location and its neighbours' names.
        skip_reason: why the files are skipped, or None.
    """

    verb: Verb
    package: str
    options: Options
    skip_reason: str | None = None

    # The import must not have a name that another file of the package declares.
    needs_neighbours = True

    @property
    def key(self) -> str:
        """Identifier of the settings that differ between directories of a run."""
        unrelated = sorted(self.options.unrelated_packages)
        return (
            f"{self.package} {self.options.runtime_import} {self.options.skip_reason} {unrelated}"
        )

    def create_planner(self, folder: Folder, texts: Mapping[str, bytes]) -> Planner:
        """Return the planner; ``texts`` contains all files of the package."""
        declared = {name: find_package_level_names(text) for name, text in texts.items()}

        def planned(name: str, text: bytes) -> Plan:
            options = replace(
                self.options,
                location=Location(folder.name_of(name), self.package),
                package_names=names_declared_elsewhere(name, declared),
            )
            return plan(self.verb, text, options)

        return planned


@dataclass(frozen=True)
class Go:
    """Go with the options of a run.

    Attributes:
        options: the rewriter's options for every file.
        runtime_import: import path of the runtime; overrides the module's own.
    """

    options: Options = field(default_factory=Options)
    runtime_import: str | None = None

    name = "Go"
    suffixes = (".go",)

    def is_source(self, path: Path) -> bool:
        """Return whether a file that the user named is a Go source."""
        return path.suffix in self.suffixes

    def matches_text(self, text: bytes) -> bool:
        """Return whether ``text`` begins with a Go package clause."""
        return _CLAUSE.match(text) is not None

    def skip_reason(self, folder: Path, *, everything: bool) -> str | None:
        """Return why a directory is not part of the module's packages, or None."""
        if runtime_copy.read_version(folder):
            return "the functrace runtime"
        if everything:
            return None
        if folder.name.startswith("_"):
            return "name starts with _"
        if read_module(folder) and find_module(folder.parent):
            return "nested module"
        return None

    def create_rewriter(self, verb: Verb, folder: Path) -> GoFolderRewriter:
        """Return the rewriter of the Go files in ``folder``."""
        module = find_module(folder)
        package = module.import_path(folder) if module else ""
        path = self.runtime_import or runtime_import_path(module)
        own = package and package == path and verb is Verb.INJECT
        options = replace(
            self.options,
            runtime_import=path,
            skip_reason=_cycle(module, package, path),
            unrelated_packages=runtime_folder.find_unrelated_packages(module) - {path}
            if module
            else frozenset(),
        )
        return GoFolderRewriter(verb, package, options, "the functrace runtime" if own else None)

    def prepare(self, request: Request, folders: Sequence[Path]) -> Iterator[str]:
        """Yield a note for each module without a runtime to import.

        Raises:
            FunctraceError: the sources would be changed in place and no longer build.
        """
        if self.runtime_import or request.mode is Mode.TREE:
            return
        for module in dict.fromkeys(map(find_module, folders)):
            if module is None:
                path = runtime_copy.DEFAULT_IMPORT_PATH
                yield (
                    f'no go.mod above the sources, so they import "{path}"; '
                    "--runtime-import chooses another path"
                )
            elif not _existing(module):
                yield _missing(module, request.mode)

    def complete(self, request: Request, root: Path, folders: Sequence[Path]) -> Iterator[str]:
        """Add the runtime to each module of an output tree that lacks it."""
        if self.runtime_import or request.out is None:
            return
        out = request.out.resolve()
        for module in dict.fromkeys(map(find_module, folders)):
            if module is None:
                yield f'no go.mod: the sources import "{runtime_copy.DEFAULT_IMPORT_PATH}"'
            elif not module.root.is_relative_to(root):
                yield f"no go.mod in the tree: name the root of module {module.path} to build it"
            elif not _existing(module):
                runtime_copy.add(out / runtime_folder.choose(module).relative_to(root))


def runtime_import_path(module: Module | None) -> str:
    """Return the import path of the runtime in a module, or the path where it would be added."""
    if module is None:
        return runtime_copy.DEFAULT_IMPORT_PATH
    return _existing(module) or module.import_path(runtime_folder.choose(module))


def _existing(module: Module) -> str | None:
    """Return the import path of the module's runtime, from a directory or go.mod, or None."""
    folder = runtime_folder.find(module)
    return module.import_path(folder) if folder else find_required_runtime(module)


def _cycle(module: Module | None, package: str, path: str) -> str | None:
    """Return why the package cannot import the runtime, or None."""
    if module and package in find_runtime_dependencies(module, path):
        return "needed by the functrace runtime"
    return None


def _missing(module: Module, mode: Mode) -> str:
    """Return the note that a module has no runtime; raise if that would break its build."""
    advice = f"run `functrace runtime add {os.path.relpath(module.root)}`"
    if mode is Mode.IN_PLACE:
        raise FunctraceError(
            f"module {module.path} has no functrace runtime, so its sources would no "
            f"longer build: {advice}, or give --runtime-import. Nothing was changed."
        )
    return f"module {module.path} has no functrace runtime yet: {advice}"
