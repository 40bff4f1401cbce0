"""Which packages of a build are to be instrumented."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from functrace.sources.go import runtime_copy
from functrace.sources.go.module import Module
from rewriter.filters import compile_globs

# What the go command calls a package that is named by its files.
BY_FILES = "command-line-arguments"
# What cannot stand in a pattern of the go command, or means another thing there.
_NO_PATTERN = re.compile(r"^-|[^\w./~+-]+")


@dataclass(frozen=True)
class Scope:
    """The packages in question.

    Attributes:
        modules: the main modules.
        deps: globs that select packages of other modules; ``all`` selects every one.
        goroot: the root of the Go distribution that builds.
        std: the packages of the standard library that can be, if they are wanted.
    """

    modules: tuple[Module, ...]
    deps: tuple[str, ...]
    goroot: Path
    std: tuple[str, ...] = ()

    def own_patterns(self) -> Iterator[str]:
        """Patterns that match the main modules' packages, and maybe some out of scope."""
        yield BY_FILES
        for module in self.modules:
            yield f"{module.path}/..."

    def dependency_patterns(self) -> Iterator[str]:
        """Patterns of the go command that match the packages that ``deps`` selects, and more."""
        globs = (glob.removeprefix("./") for glob in self.deps if glob)
        return (_NO_PATTERN.sub("...", glob) for glob in globs)

    def holds(self, package: str) -> bool:
        """Whether the package, named as the go command names it while it builds, is in scope."""
        package = plain(package)
        if package == BY_FILES or package in self.std:
            return True
        if self.is_standard(package):
            return False
        if any(_matches(glob, package) for glob in self.deps):
            return True
        folder = self.folder(package)
        return folder is not None and not runtime_copy.read_version(folder)

    def is_standard(self, package: str) -> bool:
        """Whether the go command takes the package from its own distribution."""
        return _has_go_files(self.goroot / "src" / package)

    def unmatched(self, packages: Iterable[str]) -> Iterator[str]:
        """Yield a sentence for each of ``deps`` that selects none of a build's packages."""
        names = set(map(plain, packages))
        standard = {name for name in names if self.is_standard(name)}
        for glob in self.deps:
            if not any(_matches(glob, name) for name in names - standard):
                sentence = f"--deps {glob} matches no package of this build"
                if glob == "std" or any(_matches(glob, name) for name in standard):
                    sentence += " outside the standard library; --std instruments that"
                yield sentence

    def folder(self, package: str) -> Path | None:
        """Where a main module has the package; None if it is another module's."""
        package = plain(package)
        owners = (module for module in self.modules if module.may_contain(package))
        owner = max(owners, key=lambda module: len(module.path), default=None)
        folder = owner.folder(package) if owner else None
        return folder if owner and folder and not _is_nested(folder, owner.root) else None

    def place(self, package: str, file: str) -> str:
        """The path of a file as filters name it: from its module's root, if that is known."""
        for module in self.modules:
            if file.startswith(f"{module.root}/"):
                return file[len(str(module.root)) + 1 :]
        return f"{plain(package)}/{Path(file).name}"


def _matches(glob: str, package: str) -> bool:
    return glob == "all" or compile_globs((glob,))(package) is not None


@lru_cache(maxsize=4096)
def _has_go_files(folder: Path) -> bool:
    return any(folder.glob("*.go"))


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
