"""functrace doctor: what is there, and what stands in the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from functrace import __version__
from functrace.cli.render import terminal
from functrace.sources.diagnosis import (
    Finding,
    diagnose_go,
    diagnose_python,
    diagnose_sources,
    find_languages,
)
from functrace.sources.go.language import Go
from functrace.sources.python.language import Python
from functrace.sources.request import Mode, Request, Verb


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, /, paths: tuple[str, ...], json: bool) -> None:
    """Say what toolchain and runtime there are, what would be instrumented, what stands in the way.

    PATHS as for inject; the current folder if there are none. Exit status 1 if
    something is to be done first.
    """
    findings = list(_findings(paths or (".",)))
    if json:
        terminal.print_json([asdict(f) for f in findings])
    else:
        for finding in findings:
            mark = (
                terminal.style("!", fg="red") if finding.advice else terminal.style("✓", fg="green")
            )
            terminal.echo(mark, f" {finding.subject:12}  {finding.state}")
            if finding.advice:
                terminal.echo(f"{'':16}{finding.advice}")
    ctx.exit(1 if any(f.advice for f in findings) else 0)


def _findings(paths: tuple[str, ...]) -> Iterator[Finding]:
    """What was found, from the toolchains of the languages there to their functions."""
    yield Finding("functrace", __version__)
    request = Request(Verb.INJECT, Mode.COUNT, paths, (Go(), Python()))
    there = {language.name for language in find_languages(request)}
    path = Path(paths[0].removesuffix("/...") or "/").resolve()
    folder = path if path.is_dir() else path.parent
    if there != {Python.name}:
        yield from diagnose_go(folder)
    if Python.name in there:
        yield from diagnose_python(folder)
    yield from diagnose_sources(request)
    if "FUNCTRACE" in os.environ:
        yield Finding("environment", f"FUNCTRACE={os.environ['FUNCTRACE']}")
