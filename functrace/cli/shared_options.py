"""Options that several verbs share, so that they mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rewriter.filters import Filters

if TYPE_CHECKING:
    import rewriter.golang
    import rewriter.python

F = TypeVar("F", bound=Callable[..., Any])


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


filters: Callable[[F], F] = _all(
    click.option(
        "--include",
        multiple=True,
        metavar="GLOB",
        help="Only functions, packages or paths that match; repeatable. * and ... match anything.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="No functions, packages or paths that match; repeatable.",
    ),
    click.option(
        "--min-lines",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Only functions of N lines or more.",
    ),
    click.option(
        "--exported-only",
        is_flag=True,
        help="Only functions that other packages can call, or in Python no _ hides.",
    ),
    click.option("--skip-generated", is_flag=True, help="Not files marked as generated code."),
)

closures: Callable[[F], F] = click.option(
    "--closures", is_flag=True, help="Go: function literals too."
)

lambdas: Callable[[F], F] = click.option("--lambdas", is_flag=True, help="Python: lambdas too.")

compiled: Callable[[F], F] = click.option(
    "--compiled",
    multiple=True,
    metavar="GLOB",
    help="Python: functions under decorators that match are left alone, as those of numba and "
    "other compilers are; repeatable.",
)

errors: Callable[[F], F] = click.option(
    "--errors",
    is_flag=True,
    help="Go: record the error that a function returns, where its last result is one.",
)

scope: Callable[[F], F] = _all(
    click.option(
        "--all",
        is_flag=True,
        help="Also testdata, vendor, node_modules, site-packages, virtual environments, names that "
        "start with a dot; in Go nested modules, and names that start with _.",
    ),
    click.option("--language", type=click.Choice(["go", "python"]), help="Only such sources."),
    click.option(
        "--runtime-import",
        metavar="PATH",
        help="Import path or module of the runtime, instead of the one that the Go module has "
        "and Python's functrace.",
    ),
    click.option(
        "--stdin-name",
        metavar="FILE",
        help="With -: the file that standard input is, for its language and the filters.",
    ),
)

results: Callable[[F], F] = _all(
    click.option("-w", "--write", is_flag=True, help="Change the files in place."),
    click.option(
        "--out",
        type=click.Path(file_okay=False),
        metavar="DIR",
        help="Make a complete tree in DIR; sources stay as they are.",
    ),
    click.option("--diff", is_flag=True, help="Show what would change."),
    click.option("--check", is_flag=True, help="Change nothing; exit 1 if something would change."),
)

reports: Callable[[F], F] = _all(
    click.option("--json", is_flag=True, help="Print the summary as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="No summary; errors only."),
    click.option(
        "-v", "--verbose", is_flag=True, help="Name files changed or left alone, functions skipped."
    ),
)


def for_go(flags: dict[str, Any]) -> rewriter.golang.Options:
    """What a verb's flags ask of the rewriter for Go; a verb may have but some of them."""
    from rewriter.golang import Layout, Options

    return Options(
        layout=Layout(flags.get("layout", "source")),
        closures=flags.get("closures", False),
        skip_generated=flags.get("skip_generated", False),
        filters=_filters(flags),
        errors=flags.get("errors", False),
    )


def for_python(flags: dict[str, Any]) -> rewriter.python.Options:
    """The same for Python."""
    from rewriter.python import Options

    return Options(
        lambdas=flags.get("lambdas", False),
        skip_generated=flags.get("skip_generated", False),
        compiled=tuple(flags.get("compiled", ())),
        filters=_filters(flags),
    )


def _filters(flags: dict[str, Any]) -> Filters:
    return Filters(
        include=tuple(flags.get("include", ())),
        exclude=tuple(flags.get("exclude", ())),
        min_lines=flags.get("min_lines", 0),
        exported_only=flags.get("exported_only", False),
    )
