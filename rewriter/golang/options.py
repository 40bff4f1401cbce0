"""What a caller may ask of the Go rewriter."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from rewriter.select import Place, Selection


class Layout(enum.Enum):
    """How an injected call is written.

    ``SOURCE`` is what a person would write, clean for gofmt. ``BUILD`` adds no
    line, so that every line of the original keeps its number.
    """

    SOURCE = "source"
    BUILD = "build"


@dataclass(frozen=True)
class Options:
    """One run's wishes for one file.

    Attributes:
        runtime_import: the import path of the functrace runtime.
        layout: how the calls are written.
        closures: function literals too.
        skip_generated: leave files marked ``// Code generated … DO NOT EDIT.``
        selection: the filters.
        place: the file, for the filters.
        package_names: what the other files of the package declare at package
            level, so that the import's name collides with none of it.
        reason: why no function of the file is to be instrumented, if so; each is
            counted with it.
        namesakes: import paths of packages called functrace that are no runtime.
        own_calls_only: what the file calls of another functrace runtime is none of
            ours; else such a function counts as traced.
        vouched: a Go toolchain says that the file is valid, whatever the
            grammar thinks of it.
        errors: where a function's last result is an ``error``, the call is told which.
    """

    runtime_import: str = "functrace"
    layout: Layout = Layout.SOURCE
    closures: bool = False
    skip_generated: bool = False
    selection: Selection = field(default_factory=Selection)
    place: Place = field(default_factory=Place)
    package_names: frozenset[str] = frozenset()
    reason: str | None = None
    namesakes: frozenset[str] = frozenset()
    own_calls_only: bool = False
    vouched: bool = False
    errors: bool = False
