"""The request of a run of inject or strip, and the interface of the languages it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from functrace.sources.walk import Folder
from rewriter.plan import Plan

# The plan for a file, of its name and its bytes; raises SourceError.
Planner = Callable[[str, bytes], Plan]


class Verb(Enum):
    """What is done to the sources."""

    INJECT = "inject"
    STRIP = "strip"


class Mode(Enum):
    """What becomes of the new sources."""

    IN_PLACE = "in place"
    TREE = "tree"
    DIFF = "diff"
    TEXT = "text"
    COUNT = "count"


class Rewriter(Protocol):
    """What is done to the files of one language in one folder; crosses processes."""

    @property
    def key(self) -> str:
        """Stands for all that is not the same in every folder of a run."""

    @property
    def reason(self) -> str | None:
        """Why none of them is to be rewritten, if so."""

    @property
    def neighbours(self) -> bool:
        """Whether the plan for a file depends on the language's other files there."""

    def planner(self, folder: Folder, texts: Mapping[str, bytes]) -> Planner:
        """What plans for each file; ``texts`` has all that could be read, neighbours too."""


class Language(Protocol):
    """A language with the options of a run."""

    @property
    def name(self) -> str:
        """As reports call it."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What names of its files end with."""

    def is_source(self, path: Path) -> bool:
        """Whether a file that the user named is one of its sources."""

    def takes(self, text: bytes) -> bool:
        """Whether a nameless source looks like one."""

    def reason(self, folder: Path, *, everything: bool) -> str | None:
        """Why a folder and all below it is left alone, in this language and no other."""

    def rewriter(self, verb: Verb, folder: Path) -> Rewriter:
        """What is done to its files in ``folder``."""

    def prepare(self, request: Request, folders: Sequence[Path]) -> Iterator[str]:
        """Look at the folders that are to be instrumented; yield what the user should know.

        Raises:
            FunctraceError: nothing may be changed as things are.
        """

    def complete(self, request: Request, root: Path, folders: Sequence[Path]) -> Iterator[str]:
        """Add what the sources of ``folders``, instrumented now, need; yield what to tell.

        Args:
            request: what was asked.
            root: the folder of the run, whose copy the output tree is.
            folders: those with a function that is instrumented.
        """


@dataclass(frozen=True)
class Request:
    """One run.

    Attributes:
        verb, mode: what to do with the sources and with the result.
        paths: files and folders, as the user wrote them.
        languages: those whose sources are meant, each with its options.
        out: the folder for a tree, with :attr:`Mode.TREE`.
        everything: also the folders that :mod:`functrace.sources.folder_filter` and the languages
            leave alone.
        name_skipped: name each function that is left alone.
        for_one: why this cannot be done to sources of several languages, if so.
    """

    verb: Verb
    mode: Mode
    paths: tuple[str, ...]
    languages: tuple[Language, ...]
    out: Path | None = None
    everything: bool = False
    name_skipped: bool = False
    for_one: str | None = None

    def named(self) -> str:
        """The languages, for a message: ``Go or Python``."""
        return " or ".join(language.name for language in self.languages)
