"""Which packages of a build are to be instrumented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from functrace.golang import runtime
from functrace.golang.module import Module
from rewriter.select import matcher

# What the go command calls a package that is named by its files.
BY_FILES = "command-line-arguments"


@dataclass(frozen=True)
class Scope:
    """The packages in question.

    Attributes:
        modules: the main modules.
        deps: patterns of further packages, as the go command writes them.
        std: the packages of the standard library that can be, if they are wanted.
    """

    modules: tuple[Module, ...]
    deps: tuple[str, ...]
    std: tuple[str, ...] = ()

    def own_patterns(self) -> Iterator[str]:
        """Patterns that match the main modules' packages, and maybe some out of scope."""
        yield BY_FILES
        for module in self.modules:
            yield f"{module.path}/..."

    def other_patterns(self) -> Iterator[str]:
        """Patterns that match the packages of other modules in scope."""
        yield from self.deps
        if self.std:
            yield "std"

    def holds(self, package: str) -> bool:
        """Whether the package, named as the go command names it while it builds, is in scope."""
        package = plain(package)
        if package == BY_FILES or any(matcher((p,))(package) for p in self.deps):
            return True
        if package in self.std:
            return True
        folder = self.folder(package)
        return folder is not None and not runtime.version_in(folder)

    def folder(self, package: str) -> Path | None:
        """Where a main module has the package; None if it is another module's."""
        package = plain(package)
        owners = (module for module in self.modules if module.may_have(package))
        owner = max(owners, key=lambda module: len(module.path), default=None)
        folder = owner.folder(package) if owner else None
        return folder if owner and folder and not _is_nested(folder, owner.root) else None

    def place(self, package: str, file: str) -> str:
        """The path of a file as filters name it: from its module's root, if that is known."""
        for module in self.modules:
            if file.startswith(f"{module.root}/"):
                return file[len(str(module.root)) + 1 :]
        return f"{plain(package)}/{Path(file).name}"


def plain(package: str) -> str:
    """The import path of a package that is built for a test: ``p [p.test]``, ``p_test [p.test]``.

    That of any other is as it is.
    """
    package, for_test, _ = package.partition(" ")
    return package.removesuffix("_test") if for_test else package


def _is_nested(folder: Path, root: Path) -> bool:
    while folder != root:
        if (folder / "go.mod").exists():
            return True
        folder = folder.parent
    return False
