"""functrace doctor: what is there, and what stands in the way."""

from __future__ import annotations

import json as json_format
import os
from dataclasses import asdict

import click

from functrace.golang.diagnosis import diagnose


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, /, paths: tuple[str, ...], json: bool) -> None:
    """Say what toolchain and runtime there are, what would be instrumented, what stands in the way.

    PATHS as for inject; the current folder if there are none. Exit status 1 if
    something is to be done first.
    """
    findings = list(diagnose(paths or (".",), os.environ))
    if json:
        click.echo(json_format.dumps([asdict(f) for f in findings], indent=2))
    else:
        for finding in findings:
            mark = click.style("!", fg="red") if finding.advice else click.style("✓", fg="green")
            advice = f"\n{'':16}{finding.advice}" if finding.advice else ""
            click.echo(f"{mark} {finding.subject:12}  {finding.state}{advice}")
    ctx.exit(1 if any(f.advice for f in findings) else 0)
