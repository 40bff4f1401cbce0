"""Options of the Go rewriter."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from rewriter.filters import Filters, Location


class Layout(enum.Enum):
    """Layout of injected calls.

    ``SOURCE`` is formatted as gofmt would. ``BUILD`` adds no line, so that every
    line of the original keeps its number.
    """

    SOURCE = "source"
    BUILD = "build"


@dataclass(frozen=True)
class Options:
    """Options for one file.

    Attributes:
        runtime_import: import path of the functrace runtime.
        layout: layout of the injected calls.
        closures: instrument function literals too.
        skip_generated: skip files marked ``// Code generated … DO NOT EDIT.``
        filters: filters that select functions.
        location: location of the file, for the filters.
        package_names: package-level names in the package's other files, which the
            import's alias must not collide with.
        skip_reason: why no function of the file is instrumented, if so; each is
            counted with it.
        unrelated_packages: import paths that end in functrace but are not a runtime.
        ignore_other_runtimes: treat calls of another functrace runtime as foreign; else
            a function with one counts as traced.
        is_known_valid: a Go toolchain accepts the file, even if the grammar does not.
        errors: pass a pointer to the function's last result to the call if it is an ``error``.
        inlinable: offsets at which the compiler reports functions that it can inline; those that
            return no error are skipped.
    """

    runtime_import: str = "functrace"
    layout: Layout = Layout.SOURCE
    closures: bool = False
    skip_generated: bool = False
    filters: Filters = field(default_factory=Filters)
    location: Location = field(default_factory=Location)
    package_names: frozenset[str] = frozenset()
    skip_reason: str | None = None
    unrelated_packages: frozenset[str] = frozenset()
    ignore_other_runtimes: bool = False
    is_known_valid: bool = False
    errors: bool = False
    inlinable: frozenset[int] = frozenset()
