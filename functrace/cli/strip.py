"""functrace strip: take trace calls out."""

from __future__ import annotations

from typing import Any

import click

from functrace.cli import rewrite_sources, shared_options
from functrace.sources.request import Verb


@click.command()
@click.argument("paths", nargs=-1)
@shared_options.results
@shared_options.scope
@shared_options.reports
@click.pass_context
def strip(ctx: click.Context, /, paths: tuple[str, ...], **flags: Any) -> None:
    """Take every injected trace call and import out again: the very bytes from before.

    PATHS as for inject. `strip --check` in CI says that no trace call was
    committed. A call of your own that is to stay bears `//functrace:keep`,
    in Python `# functrace: keep`, behind it on its line.
    """
    ctx.exit(rewrite_sources.execute(Verb.STRIP, paths, flags))
