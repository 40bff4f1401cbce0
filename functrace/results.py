"""What a run did: one result a file, and their sum. Plain data that crosses processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FileResult:
    """What became of one source file.

    Attributes:
        path: as the user would name it.
        changed: its content differs, or would, from what it was.
        functions: how many were instrumented, or stripped.
        traced: how many carried a trace call already.
        skipped: how many were left alone, by reason.
        names: ``line: name: reason`` of those, where the run asked for them.
        matched: the globs of the filters that match the file or a function in it.
        reason: why the whole file was left alone.
        error: ``line:column: message``; the file is as it was.
        output: what a run that writes no file shows of it: a diff, or its new text.
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
        """What is worth keeping for a later run: the fields that count something, if they do."""
        return {k: v for k, v in vars(self).items() if v and k not in ("names", "output")}


@dataclass
class Summary:
    """The sum of many results.

    Attributes:
        files: source files seen.
        changed: those whose content differs.
        copied: other files that went into an output tree.
        unchanged: files that an earlier run had put there already.
        functions, traced, skipped: as in :class:`FileResult`.
        matched: globs of the filters that match something.
        left: files and folders left alone as a whole, by reason.
        errors: ``path:line:column: message``.
        folders: how many of the errors are folders that could not be read.
        notes: what the user should know or do.
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
        """Count ``results`` in."""
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

    def unmatched(self, include: Iterable[str], exclude: Iterable[str]) -> Iterator[str]:
        """Yield a sentence for each glob of the filters that matches nothing."""
        where = " outside the files left alone as a whole" if self.left or self.errors else ""
        for option, globs in (("--include", include), ("--exclude", exclude)):
            for glob in globs:
                if glob not in self.matched:
                    yield f"{option} {glob} matches no function, package or path{where}"

    def add_unreadable(self, folder: str, why: str) -> None:
        """Count a folder that cannot be read."""
        self.folders += 1
        self.errors.append(f"{folder}: {why}")

    def as_json(self) -> dict[str, Any]:
        """The summary as ``--json`` prints it."""
        return {
            "files": self.files,
            "changed": self.changed,
            "copied": self.copied,
            "unchanged": self.unchanged,
            "functions": self.functions,
            "already_traced": self.traced,
            "skipped": dict(sorted(self.skipped.items())),
            "left_alone": dict(sorted(self.left.items())),
            "errors": sorted(self.errors),
            "notes": self.notes,
        }
