"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from functrace.globs import parse_globs
from rewriter.filters import Filters

if TYPE_CHECKING:
    import rewriter.golang
    import rewriter.python

F = TypeVar("F", bound=Callable[..., Any])


def _combined(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


filters: Callable[[F], F] = _combined(
    click.option(
        "--include",
        multiple=True,
        metavar="GLOB",
        help="Instrument only functions that match, such as Get, store.Get or 'store.*'; "
        "repeatable.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="Leave out functions that match; repeatable.",
    ),
    click.option(
        "--include-path",
        multiple=True,
        metavar="PATH",
        help="Instrument only matching files, folders, packages or modules (* and ... match "
        "anything); repeatable.",
    ),
    click.option(
        "--exclude-path",
        multiple=True,
        metavar="PATH",
        help="Leave out matching files, folders, packages or modules; repeatable.",
    ),
    click.option(
        "--min-lines",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Instrument only functions of N lines or more.",
    ),
    click.option(
        "--exported-only",
        is_flag=True,
        help="Instrument only functions that other packages can call; in Python, names without _.",
    ),
    click.option(
        "--skip-generated", is_flag=True, help="Leave out files marked as generated code."
    ),
)


def closures(*, default: bool) -> Callable[[F], F]:
    """Return ``--closures`` and ``--no-closures``."""
    return _switch("closures", "Go: also instrument function literals.", default=default)


def record_errors(*, default: bool) -> Callable[[F], F]:
    """Return ``--record-errors`` and ``--no-record-errors``."""
    text = "Go: record the error that a function returns as its last result."
    return _switch("record-errors", text, default=default)


def _switch(name: str, text: str, *, default: bool) -> Callable[[F], F]:
    shown = name if default else f"no-{name}"
    return click.option(
        f"--{name}/--no-{name}", default=default, help=f"{text}  [default: {shown}]"
    )


lambdas: Callable[[F], F] = click.option(
    "--lambdas", is_flag=True, help="Python: also instrument lambdas."
)

compiled: Callable[[F], F] = click.option(
    "--compiled",
    multiple=True,
    metavar="GLOB",
    help="Python: leave out functions with a matching decorator, as with those of numba and "
    "other compilers; repeatable.",
)

std: Callable[[F], F] = click.option(
    "--std",
    is_flag=True,
    help="Also instrument the standard library, except what functrace itself needs of it.",
)

python: Callable[[F], F] = click.option(
    "--python",
    metavar="PATH",
    help="Use this interpreter.  [default: that of the active environment]",
)


def _set_color(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.color = {"auto": None, "always": True, "never": False}[value]


color: Callable[[F], F] = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    expose_value=False,
    callback=_set_color,
    help="Print in color; auto does on a terminal, unless NO_COLOR is set.  [default: auto]",
)

as_json: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

quiet: Callable[[F], F] = click.option(
    "-q", "--quiet", is_flag=True, help="Print errors only, no summary."
)

scope: Callable[[F], F] = _combined(
    click.option(
        "--all",
        is_flag=True,
        help="Also process testdata, vendor, node_modules, site-packages, virtual environments and "
        "names that start with a dot; in Go, nested modules and names that start with _.",
    ),
    click.option(
        "--language", type=click.Choice(["go", "python"]), help="Process only this language."
    ),
    click.option(
        "--runtime-import",
        metavar="PATH",
        help="Import the runtime from this Go import path or Python module, instead of the one in "
        "the Go module or Python's functrace.",
    ),
    click.option(
        "--stdin-name",
        metavar="FILE",
        help="With -: treat standard input as this file, for its language and the filters.",
    ),
)

results: Callable[[F], F] = _combined(
    click.option("-w", "--write", is_flag=True, help="Change the files in place."),
    click.option(
        "-o",
        "--out",
        type=click.Path(file_okay=False),
        metavar="DIR",
        help="Write a complete tree to DIR; the sources stay unchanged.",
    ),
    click.option("--diff", is_flag=True, help="Show what would change."),
    click.option("--check", is_flag=True, help="Change nothing; exit 1 if something would change."),
)

reports: Callable[[F], F] = _combined(
    as_json,
    color,
    quiet,
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Name changed and skipped files and skipped functions.",
    ),
)


def for_go(flags: dict[str, Any]) -> rewriter.golang.Options:
    """Return the rewriter's options for Go; options that the verb lacks have their defaults."""
    from rewriter.golang import Layout, Options

    return Options(
        layout=Layout(flags.get("layout", "source")),
        closures=flags.get("closures", False),
        skip_generated=flags.get("skip_generated", False),
        filters=get_filters(flags),
        errors=flags.get("record_errors", False),
    )


def for_python(flags: dict[str, Any]) -> rewriter.python.Options:
    """Return the rewriter's options for Python."""
    from rewriter.python import Options

    return Options(
        lambdas=flags.get("lambdas", False),
        skip_generated=flags.get("skip_generated", False),
        compiled=tuple(flags.get("compiled", ())),
        filters=get_filters(flags),
    )


def get_filters(flags: dict[str, Any]) -> Filters:
    """Return the filters; options that the verb lacks have their defaults.

    Raises:
        UsageError: a glob of function names is invalid.
    """
    return Filters(
        include=parse_globs(flags.get("include", ()), "--include", "--include-path"),
        exclude=parse_globs(flags.get("exclude", ()), "--exclude", "--exclude-path"),
        include_path=tuple(flags.get("include_path", ())),
        exclude_path=tuple(flags.get("exclude_path", ())),
        min_lines=flags.get("min_lines", 0),
        exported_only=flags.get("exported_only", False),
    )
