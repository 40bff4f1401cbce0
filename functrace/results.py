"""Results of rewriting sources, per file and in total; plain data that crosses processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rewriter.filters import Filters


@dataclass(frozen=True)
class FileResult:
    """Result for one source file.

    Attributes:
        path: the path as the user would write it.
        changed: whether the content changed, or would change.
        functions: number of functions instrumented or stripped.
        traced: number of functions that already had a trace call.
        skipped: number of skipped functions, by reason.
        names: ``line: name: reason`` of skipped functions, if requested.
        matched: the filters, as ``--include GLOB``, that match the file or a function in it.
        reason: why the whole file was skipped.
        error: ``line:column: message``; the file is unchanged.
        output: a diff or the new text, if no file is written.
    """

    path: str
    changed: bool = False
    functions: int = 0
    traced: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    reason: str | None = None
    error: str | None = None
    output: bytes = b""

    def counts(self) -> dict[str, Any]:
        """Return the non-empty fields that a later run reuses from a cache."""
        return {k: v for k, v in vars(self).items() if v and k not in ("names", "output")}


@dataclass
class Summary:
    """Total of many results.

    Attributes:
        files: number of source files.
        changed: number of files whose content changed.
        copied: number of other files copied to an output tree.
        unchanged: number of files that were up to date in the output tree.
        functions, traced, skipped: as in :class:`FileResult`.
        matched: filters, as ``--include GLOB``, that match something.
        left: number of files and folders skipped as a whole, by reason.
        errors: ``path:line:column: message``.
        folders: number of errors about unreadable folders.
        notes: advice to the user.
    """

    files: int = 0
    changed: int = 0
    copied: int = 0
    unchanged: int = 0
    functions: int = 0
    traced: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    matched: set[str] = field(default_factory=set)
    left: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    folders: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, results: Iterable[FileResult]) -> None:
        """Add ``results`` to the totals."""
        for result in results:
            self.files += 1
            self.changed += result.changed
            self.functions += result.functions
            self.traced += result.traced
            self.skipped.update(result.skipped)
            self.matched.update(result.matched)
            if result.reason:
                self.left[result.reason] += 1
            if result.error:
                self.errors.append(f"{result.path}:{result.error}")

    def list_unmatched(self, filters: Filters) -> Iterator[str]:
        """Yield a note for each filter that matches nothing."""
        where = " outside the files left alone as a whole" if self.left or self.errors else ""
        for option, globs in (("--include", filters.include), ("--exclude", filters.exclude)):
            for glob in globs:
                if f"{option} {glob}" not in self.matched:
                    yield f"{option} {glob} matches no function{where}{_advise(option, glob)}"
        for option, paths in (
            ("--include-path", filters.include_path),
            ("--exclude-path", filters.exclude_path),
        ):
            for path in paths:
                if f"{option} {path}" not in self.matched:
                    yield f"{option} {path} matches no file, folder, package or module"

    def add_unreadable(self, folder: str, why: str) -> None:
        """Add an error about an unreadable folder."""
        self.folders += 1
        self.errors.append(f"{folder}: {why}")

    def as_json(self) -> dict[str, Any]:
        """Return the summary as ``--json`` prints it."""
        return {
            "file_count": self.files,
            "changed_files": self.changed,
            "copied_files": self.copied,
            "unchanged_files": self.unchanged,
            "function_count": self.functions,
            "already_traced": self.traced,
            "skipped": dict(sorted(self.skipped.items())),
            "left_alone": dict(sorted(self.left.items())),
            "error_messages": sorted(self.errors),
            "notes": self.notes,
        }


def _advise(option: str, glob: str) -> str:
    """Return what the user may have meant by the name of something that is not a function."""
    if "*" in glob:
        return ""
    return f"; {glob}.* matches what is in it, {option}-path {glob} a package or path"
