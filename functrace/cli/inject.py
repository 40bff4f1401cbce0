"""The verb ``functrace inject``: inserts trace calls into sources."""

from __future__ import annotations

from typing import Any

import click

from functrace.cli import renamed, rewrite_sources, shared_options
from functrace.cli.configured import ConfiguredCommand
from functrace.sources.run_request import Verb


@click.command(cls=ConfiguredCommand)
@click.argument("paths", nargs=-1)
@shared_options.results
@click.option(
    "--layout",
    type=click.Choice(["source", "build"]),
    default="source",
    help="Go: source is gofmt-clean, as written by hand; build keeps every line number.  "
    "[default: source]",
)
@shared_options.filters
@shared_options.closures(default=False)
@shared_options.record_errors(default=False)
@shared_options.lambdas
@shared_options.compiled
@shared_options.scope
@shared_options.reports
@renamed.refuse_options("inject")
@click.pass_context
def inject(ctx: click.Context, /, paths: tuple[str, ...], **flags: Any) -> None:
    """Insert a trace call into every function of Go and Python sources, and import the runtime.

    The call is `defer functrace.Trace()()` in Go and the decorator `@_functrace_.trace` in
    Python. PATHS are files, folders (searched recursively), ./... or - for standard input.
    One file or - is printed to standard output unless -w, --out, --diff or --check is given.
    Functions that already have a trace call stay unchanged. With --record-errors, a Go function
    whose last result is an error gets `defer functrace.Exit(functrace.Enter(), &err)` instead, and
    a name for that result if it has none.
    """
    ctx.exit(rewrite_sources.execute(Verb.INJECT, paths, flags))
