"""What a user asks of inject or strip."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from rewriter.golang import Options


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
        out: the folder for a tree, with :attr:`Mode.TREE`.
        options: for the rewriter.
        runtime_import: the runtime to import, whatever the module has.
        everything: also testdata, vendor, nested modules, and names with _ or . in front.
        name_skipped: name each function that is left alone.
    """

    verb: Verb
    mode: Mode
    paths: tuple[str, ...]
    out: Path | None = None
    options: Options = field(default_factory=Options)
    runtime_import: str | None = None
    everything: bool = False
    name_skipped: bool = False
