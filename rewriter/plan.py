"""The edit plan: what every language's rewriter produces and everything else consumes."""

from __future__ import annotations

from dataclasses import dataclass

from rewriter.edit import Edit


@dataclass(frozen=True)
class Function:
    """A function as the source declares it.

    Attributes:
        name: as the language prints it without its package, ``(*T).Name`` in Go.
        line: the line of its first token, from 1.
        lines: how many lines it spans, from its first token to its end.
    """

    name: str
    line: int
    lines: int


@dataclass(frozen=True)
class Skipped:
    """A function that is left as it is, and why, in words for the report."""

    function: Function
    reason: str


@dataclass(frozen=True)
class Plan:
    """What is to be done to one file.

    Attributes:
        edits: byte edits, for :func:`rewriter.edit.apply`.
        functions: those that the edits instrument, or strip.
        traced: those that carry a trace call already and keep it.
        skipped: those left alone, each with its reason.
        matched: the globs of the filters that match the file or a function in it.
        file_reason: why the file as a whole is left alone, if it is.
    """

    edits: tuple[Edit, ...] = ()
    functions: tuple[Function, ...] = ()
    traced: tuple[Function, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    matched: frozenset[str] = frozenset()
    file_reason: str | None = None
