"""Options of the Python rewriter."""

from __future__ import annotations

from dataclasses import dataclass, field

from rewriter.filters import Filters, Location


@dataclass(frozen=True)
class Options:
    """Options for one file.

    Attributes:
        runtime_import: module whose ``trace`` is the decorator.
        lambdas: instrument lambda expressions too.
        skip_generated: skip files whose header says ``Generated … DO NOT EDIT``.
        compiled: further decorators that compile the function, as globs over dotted
            names (``mypackage.jit*``); :mod:`rewriter.python.compiling_decorators`
            lists the built-in ones.
        filters: filters that select functions.
        location: location of the file, for the filters; its package is the dotted module name.
    """

    runtime_import: str = "functrace"
    lambdas: bool = False
    skip_generated: bool = False
    compiled: tuple[str, ...] = ()
    filters: Filters = field(default_factory=Filters)
    location: Location = field(default_factory=Location)
