"""Edit plan: the output of every language's rewriter and the input of everything else."""

from __future__ import annotations

from dataclasses import dataclass

from rewriter.edit import Edit


@dataclass(frozen=True)
class Function:
    """Function declaration in a source.

    Attributes:
        name: name without the package, as the language prints it: ``(*T).Name`` in Go.
        line: line of its first token, from 1.
        line_count: number of lines from its first token to its end.
    """

    name: str
    line: int
    line_count: int


@dataclass(frozen=True)
class Skipped:
    """Function that is not instrumented, with the reason for the report."""

    function: Function
    reason: str


@dataclass(frozen=True)
class Plan:
    """Edits to one file and their effect.

    Attributes:
        edits: byte edits, for :func:`rewriter.edit.apply`.
        functions: functions that the edits instrument or strip.
        traced: functions that have a trace call already and keep it.
        skipped: functions that are not instrumented, each with its reason.
        matched_globs: globs of the filters that match the file or a function in it.
        file_skip_reason: why the whole file is skipped, if it is.
    """

    edits: tuple[Edit, ...] = ()
    functions: tuple[Function, ...] = ()
    traced: tuple[Function, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    matched_globs: frozenset[str] = frozenset()
    file_skip_reason: str | None = None
