"""The verb ``functrace strip``: removes trace calls from sources."""

from __future__ import annotations

from typing import Any

import click

from functrace.cli import rewrite_sources, shared_options
from functrace.cli.configured import ConfiguredCommand
from functrace.sources.run_request import Verb


@click.command(cls=ConfiguredCommand)
@click.argument("paths", nargs=-1)
@shared_options.results
@shared_options.scope
@shared_options.reports
@click.pass_context
def strip(ctx: click.Context, /, paths: tuple[str, ...], **flags: Any) -> None:
    """Remove every injected trace call and import, which restores the original bytes.

    PATHS are as for inject. In CI, `strip --check` verifies that no trace call was committed.
    To keep a call of your own, end its line with `//functrace:keep`, in Python
    `# functrace: keep`.
    """
    ctx.exit(rewrite_sources.execute(Verb.STRIP, paths, flags))
