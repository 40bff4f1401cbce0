"""Request for a run of ``inject`` or ``strip``, and the interface of a language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from functrace.sources.walk import Folder
from rewriter.plan import Plan

# Returns the plan for a file, given its name and bytes; raises SourceError.
Planner = Callable[[str, bytes], Plan]


class Verb(Enum):
    """Operation on the sources."""

    INJECT = "inject"
    STRIP = "strip"


class Mode(Enum):
    """Destination of the rewritten sources."""

    IN_PLACE = "in place"
    TREE = "tree"
    DIFF = "diff"
    TEXT = "text"
    COUNT = "count"


class Rewriter(Protocol):
    """Rewriter of the files of one language in one directory; must be picklable."""

    @property
    def key(self) -> str:
        """Identifier of the settings that differ between directories of a run."""

    @property
    def skip_reason(self) -> str | None:
        """Why the directory's files are not rewritten, or None if they are."""

    @property
    def needs_neighbours(self) -> bool:
        """Whether the plan for a file depends on the language's other files in the directory."""

    def create_planner(self, folder: Folder, texts: Mapping[str, bytes]) -> Planner:
        """Return the planner; ``texts`` contains all readable files, neighbours included."""


class Language(Protocol):
    """A language with the options of a run."""

    @property
    def name(self) -> str:
        """Name for reports."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """File name suffixes."""

    def is_source(self, path: Path) -> bool:
        """Return whether a file that the user named is a source of this language."""

    def matches_text(self, text: bytes) -> bool:
        """Return whether a source without a name may be of this language."""

    def skip_reason(self, folder: Path, *, everything: bool) -> str | None:
        """Return why this language skips a directory and everything below it, or None."""

    def create_rewriter(self, verb: Verb, folder: Path) -> Rewriter:
        """Return the rewriter of the language's files in ``folder``."""

    def prepare(self, request: Request, folders: Sequence[Path]) -> Iterator[str]:
        """Check the directories before they are instrumented; yield notes for the user.

        Raises:
            FunctraceError: instrumenting them would break their build.
        """

    def complete(self, request: Request, root: Path, folders: Sequence[Path]) -> Iterator[str]:
        """Add what instrumented sources require to run; yield notes for the user.

        Args:
            request: the request that was executed.
            root: the directory that the output tree is a copy of.
            folders: the directories that contain an instrumented function.
        """


@dataclass(frozen=True)
class Request:
    """Parameters of one run.

    Attributes:
        verb, mode: what to do with the sources and with the result.
        paths: files and directories, as the user typed them.
        languages: the languages to process, each with its options.
        out: the directory of the output tree, with :attr:`Mode.TREE`.
        everything: include directories that :mod:`functrace.sources.folder_filter` and the
            languages skip by default.
        name_skipped: report the name of each skipped function.
        single_language_error: message if the options are valid for only one language and the
            sources have several.
    """

    verb: Verb
    mode: Mode
    paths: tuple[str, ...]
    languages: tuple[Language, ...]
    out: Path | None = None
    everything: bool = False
    name_skipped: bool = False
    single_language_error: str | None = None

    def language_names(self) -> str:
        """Return the language names for a message: ``Go or Python``."""
        return " or ".join(language.name for language in self.languages)
