"""Python support of ``inject`` and ``strip``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from functrace.sources.python import imports
from functrace.sources.python.imports import find_package, module_name
from functrace.sources.run_request import Mode, Planner, Request, Verb
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
    """Rewriter of the Python files in one directory.

    Attributes:
        verb: the operation.
        package: the dotted name of their package, ``""`` if they are in none.
        options: all except a file's location.
        skip_reason: why the files are skipped, or None.
    """

    verb: Verb
    package: str
    options: Options
    skip_reason: str | None = None

    needs_neighbours = False

    @property
    def key(self) -> str:
        """Identifier of the settings that differ between directories of a run."""
        return self.package

    def create_planner(self, folder: Folder, texts: Mapping[str, bytes]) -> Planner:  # noqa: ARG002
        """Return the planner; each file is planned without its neighbours."""
        planner = _PLANNERS[self.verb]
        runtime = self.options.runtime_import

        def planned(name: str, text: bytes) -> Plan:
            module = module_name(self.package, name)
            if self.verb is Verb.INJECT and f"{module}.".startswith(f"{runtime}."):
                return Plan(file_skip_reason=_RUNTIME)
            location = Location(folder.name_of(name), module)
            return planner(text, replace(self.options, location=location))

        return planned


@dataclass(frozen=True)
class Python:
    """Python with the options of a run."""

    options: Options = field(default_factory=Options)

    name = "Python"
    suffixes = (".py", ".pyw")

    def is_source(self, path: Path) -> bool:
        """Return whether a file is a Python source, by its suffix or interpreter line."""
        if path.suffix in (*self.suffixes, _STUB):
            return True
        with open(path, "rb") as file:
            return not path.suffix and _INTERPRETER.match(file.readline(200)) is not None

    def matches_text(self, text: bytes) -> bool:  # noqa: ARG002
        """Return True: any text may be Python, which has no distinctive first line."""
        return True

    def skip_reason(self, folder: Path, *, everything: bool) -> str | None:  # noqa: ARG002
        """Return why a directory is skipped for Python only, or None."""
        return _RUNTIME if imports.is_ours(folder) else None

    def create_rewriter(self, verb: Verb, folder: Path) -> PythonFolderRewriter:
        """Return the rewriter of the Python files in ``folder``."""
        own = verb is Verb.INJECT and any(map(imports.is_ours, (folder, *folder.parents)))
        return PythonFolderRewriter(
            verb, find_package(folder), self.options, _RUNTIME if own else None
        )

    def prepare(self, request: Request, folders: Sequence[Path]) -> Iterator[str]:  # noqa: ARG002
        """Yield nothing: a missing runtime can be installed later."""
        yield from ()

    def complete(self, request: Request, root: Path, folders: Sequence[Path]) -> Iterator[str]:
        """Yield notes on a missing runtime and on packages that would be imported in its place."""
        if not folders or request.mode not in (Mode.IN_PLACE, Mode.TREE):
            return
        module = self.options.runtime_import
        if module != imports.MODULE:
            yield f"the Python sources import {module}"
            return
        if not imports.is_installed(root):
            yield (
                f"the Python sources import {module}: "
                f"`pip install {imports.DISTRIBUTION}` where they run"
            )
        for other in imports.find_foreign(root, folders):
            yield (
                f"{other} is another {module}, and would be imported instead: remove it, "
                "or give --runtime-import a module of yours that exports functrace's trace"
            )
