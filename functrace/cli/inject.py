"""functrace inject: put trace calls in."""

from __future__ import annotations

from typing import Any

import click

from functrace.cli import rewrite_sources, shared_options
from functrace.sources.request import Verb


@click.command()
@click.argument("paths", nargs=-1)
@shared_options.results
@click.option(
    "--layout",
    type=click.Choice(["source", "build"]),
    default="source",
    show_default=True,
    help="Go. source: as a person would write it, gofmt-clean. build: every line keeps its number.",
)
@shared_options.filters
@shared_options.closures
@shared_options.errors
@shared_options.lambdas
@shared_options.compiled
@shared_options.scope
@shared_options.reports
@click.pass_context
def inject(ctx: click.Context, /, paths: tuple[str, ...], **flags: Any) -> None:
    """Put a trace call and its import into every function of Go and Python sources.

    In Go that is `defer functrace.Trace()()`, in Python the decorator
    `@_functrace_.trace`. PATHS are files, folders (with all below them), ./...
    or - for standard input. One file or - without -w, --out, --diff or --check
    goes to standard output. A function that has a trace call already is left as
    it is. With --errors, one whose last result is an error gets
    `defer functrace.Exit(functrace.Enter(), &err)` in its place, and a name for
    that result if it has none.
    """
    ctx.exit(rewrite_sources.execute(Verb.INJECT, paths, flags))
