"""Selection of the packages of a build to instrument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from functrace.sources.go import runtime_copy
from functrace.sources.go.module import Module
from rewriter.filters import compile_path_globs

# The go command's name for a package that is given by its files.
BY_FILES = "command-line-arguments"
# Characters that a pattern of the go command cannot contain or that have another meaning there.
_NO_PATTERN = re.compile(r"^-|[^\w./~+-]+")


@dataclass(frozen=True)
class Scope:
    """The packages to instrument.

    Attributes:
        modules: the main modules.
        deps: globs that select packages of other modules; ``all`` selects every one.
        goroot: the root of the Go distribution used for the build.
        std: the packages of the standard library to instrument; empty without ``--std``.
    """

    modules: tuple[Module, ...]
    deps: tuple[str, ...]
    goroot: Path
    std: tuple[str, ...] = ()

    def own_patterns(self) -> Iterator[str]:
        """Yield patterns that match the main modules' packages, and possibly others."""
        yield BY_FILES
        for module in self.modules:
            yield f"{module.path}/..."

    def dependency_patterns(self) -> Iterator[str]:
        """Yield the go command's patterns for ``deps``, which possibly match more packages."""
        globs = (glob.removeprefix("./") for glob in self.deps if glob)
        return (_NO_PATTERN.sub("...", glob) for glob in globs)

    def contains(self, package: str) -> bool:
        """Return whether a package, under the go command's name for it, is in scope."""
        package = import_path_of(package)
        if package == BY_FILES or package in self.std:
            return True
        if self.is_standard(package):
            return False
        if any(_matches(glob, package) for glob in self.deps):
            return True
        folder = self.folder(package)
        return folder is not None and not runtime_copy.read_version(folder)

    def is_standard(self, package: str) -> bool:
        """Return whether the package is part of the standard library."""
        return _has_go_files(self.goroot / "src" / package)

    def unmatched(self, packages: Iterable[str]) -> Iterator[str]:
        """Yield a sentence for each of ``deps`` that selects none of a build's packages."""
        names = set(map(import_path_of, packages))
        standard = {name for name in names if self.is_standard(name)}
        for glob in self.deps:
            if not any(_matches(glob, name) for name in names - standard):
                sentence = f"--deps {glob} matches no package of this build"
                if glob == "std" or any(_matches(glob, name) for name in standard):
                    sentence += " outside the standard library; --std instruments that"
                yield sentence

    def folder(self, package: str) -> Path | None:
        """Return the directory of a main module's package, or None for other packages."""
        package = import_path_of(package)
        owners = (module for module in self.modules if module.may_contain(package))
        owner = max(owners, key=lambda module: len(module.path), default=None)
        folder = owner.folder(package) if owner else None
        return folder if owner and folder and not _is_nested(folder, owner.root) else None

    def place(self, package: str, file: str) -> str:
        """Return the path of a file for filters: relative to its module's root, if known."""
        for module in self.modules:
            if file.startswith(f"{module.root}/"):
                return file[len(str(module.root)) + 1 :]
        return f"{import_path_of(package)}/{Path(file).name}"


def _matches(glob: str, package: str) -> bool:
    return glob == "all" or compile_path_globs((glob,))(package) is not None


@lru_cache(maxsize=4096)
def _has_go_files(folder: Path) -> bool:
    return any(folder.glob("*.go"))


def import_path_of(package: str) -> str:
    """Return the import path of a package, without test suffixes.

    A package built for a test is named ``p [p.test]`` or ``p_test [p.test]``.
    """
    package, for_test, _ = package.partition(" ")
    return package.removesuffix("_test") if for_test else package


def symbol_packages_of(package: str) -> tuple[str, ...]:
    """Return the package in the names of a test's functions; nothing if it is built for no test."""
    package, for_test, _ = package.partition(" ")
    return (package,) if for_test else ()


def _is_nested(folder: Path, root: Path) -> bool:
    while folder != root:
        if (folder / "go.mod").exists():
            return True
        folder = folder.parent
    return False
