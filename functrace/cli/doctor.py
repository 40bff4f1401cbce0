"""The verb ``functrace doctor``: a check of the toolchains and the sources."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from functrace import __version__, settings
from functrace.cli import shared_options
from functrace.cli.render import terminal
from functrace.errors import UsageError
from functrace.sources.diagnosis import (
    Finding,
    diagnose_go,
    diagnose_python,
    diagnose_sources,
    find_languages,
)
from functrace.sources.go.language import Go
from functrace.sources.python.language import Python
from functrace.sources.run_request import Mode, Request, Verb
from functrace.text.safe_text import style


@click.command()
@click.argument("paths", nargs=-1)
@shared_options.as_json
@shared_options.color
@click.pass_context
def doctor(ctx: click.Context, /, paths: tuple[str, ...], as_json: bool) -> None:
    """Check the toolchains, the runtime and the sources, and report problems.

    PATHS are files or folders, as for inject; by default the current folder. The exit status
    is 1 if a problem has to be solved first.
    """
    findings = list(_findings(paths or (".",)))
    if as_json:
        terminal.print_json({"findings": [asdict(f) for f in findings]})
    else:
        for finding in findings:
            mark = style("!", fg="red") if finding.advice else style("✓", fg="green")
            terminal.echo(mark, f" {finding.subject:12}  {finding.state}")
            if finding.advice:
                terminal.echo(f"{'':16}{finding.advice}")
    ctx.exit(1 if any(f.advice for f in findings) else 0)


def _findings(paths: tuple[str, ...]) -> Iterator[Finding]:
    """Yield the findings: toolchains of the languages in the sources, then functions."""
    yield Finding("functrace", __version__)
    request = Request(Verb.INJECT, Mode.COUNT, paths, (Go(), Python()))
    languages = {language.name for language in find_languages(request)}
    path = Path(paths[0].removesuffix("/...") or "/").resolve()
    folder = path if path.is_dir() else path.parent
    if languages != {Python.name}:
        yield from diagnose_go(folder)
    if Python.name in languages:
        yield from diagnose_python(folder)
    yield from diagnose_sources(request)
    yield from _diagnose_settings()
    if "FUNCTRACE" in os.environ:
        yield Finding("environment", f"FUNCTRACE={os.environ['FUNCTRACE']}")


def _diagnose_settings() -> Iterator[Finding]:
    try:
        found = settings.load(Path.cwd(), os.environ)
    except UsageError as error:
        yield Finding("settings", "invalid", str(error))
    else:
        if found:
            yield Finding("settings", ", ".join(name.replace("_", "-") for name in found))
