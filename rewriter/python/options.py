"""What a caller may ask of the Python rewriter."""

from __future__ import annotations

from dataclasses import dataclass, field

from rewriter.select import Place, Selection


@dataclass(frozen=True)
class Options:
    """One run's wishes for one file.

    Attributes:
        runtime_import: the module whose ``trace`` decorates.
        lambdas: lambda expressions too.
        skip_generated: leave files whose header says ``Generated … DO NOT EDIT``.
        compiled: further decorators that compile what they decorate, as globs over
            dotted names (``mypackage.jit*``); those known are in
            :mod:`rewriter.python.compiled`.
        selection: the filters.
        place: the file, for the filters; its package is the module's dotted name.
    """

    runtime_import: str = "functrace"
    lambdas: bool = False
    skip_generated: bool = False
    compiled: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    place: Place = field(default_factory=Place)
