"""Which packages of a build are to be instrumented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from functrace.golang import runtime
from rewriter.select import matcher

# What the go command calls a package that is named by its files.
BY_FILES = "command-line-arguments"


@dataclass(frozen=True)
class Scope:
    """The packages in question.

    Attributes:
        modules: path and folder of each main module.
        deps: patterns of further packages, as the go command writes them.
        std: the packages of the standard library that can be, if they are wanted.
    """

    modules: tuple[tuple[str, str], ...]
    deps: tuple[str, ...]
    std: tuple[str, ...] = ()

    def own_patterns(self) -> Iterator[str]:
        """Patterns that match the main modules' packages, and maybe some out of scope."""
        yield BY_FILES
        for path, _ in self.modules:
            yield f"{path}/..."

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
        owners = [m for m in self.modules if package == m[0] or package.startswith(m[0] + "/")]
        for path, root in sorted(owners, key=lambda m: -len(m[0])):
            folder = Path(root) / package[len(path) :].lstrip("/")
            return folder if folder.is_dir() and not _is_nested(folder, Path(root)) else None
        return None

    def place(self, package: str, file: str) -> str:
        """The path of a file as filters name it: from its module's root, if that is known."""
        for _, root in self.modules:
            if file.startswith(root + "/"):
                return file[len(root) + 1 :]
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
