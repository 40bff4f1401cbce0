"""What a language has to say for its sources to be instrumented and stripped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from functrace.files.walk import Folder
from functrace.sources.request import Request, Verb
from rewriter.plan import Plan

# The plan for a file, of its name and its bytes; raises SourceError.
Planner = Callable[[str, bytes], Plan]


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
