"""What a user asks of inject or strip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functrace.sources.language import Language


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


@dataclass(frozen=True)
class Request:
    """One run.

    Attributes:
        verb, mode: what to do with the sources and with the result.
        paths: files and folders, as the user wrote them.
        languages: those whose sources are meant, each with its options.
        out: the folder for a tree, with :attr:`Mode.TREE`.
        everything: also the folders that :mod:`functrace.sources.scope` and the languages
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
