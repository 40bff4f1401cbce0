"""functrace go: the go command, traced."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click

from functrace.cache import folders
from functrace.cli import shared_options
from functrace.cli.render import source_summary, terminal
from functrace.gobuild import go_run as gobuild
from functrace.gobuild.go_command import Flag, parse
from functrace.gobuild.go_run import Outcome
from functrace.gobuild.prepare import Request
from functrace.sources.go import toolchain

_UNTRACED = ("generate", "list", "vet")


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
)
@click.argument("verb", metavar="build|run|test|install|generate|vet|list|clean")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="ARGS...")
@shared_options.filters
@click.option(
    "--closures/--no-closures", default=True, help="Function literals too; here this is the rule."
)
@click.option(
    "--errors/--no-errors", default=True, help="Record the errors that functions return; the rule."
)
@click.option(
    "--deps",
    multiple=True,
    metavar="GLOB",
    help="Also instrument packages of other modules that match, or all; repeatable.",
)
@click.option(
    "--std", is_flag=True, help="The standard library, too, but for what the runtime needs of it."
)
@click.option(
    "--otlp",
    is_flag=True,
    help="Programs carry what FUNCTRACE=otlp needs to send calls to an OpenTelemetry collector.",
)
@click.option("--dry-run", is_flag=True, help="Print the go command and run nothing.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Keep the instrumented files in DIR, for reading.",
)
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
@click.pass_context
def go(ctx: click.Context, /, verb: str, arguments: tuple[str, ...], **flags: Any) -> None:
    """Run the go command on an instrumented view of the sources; no file is touched.

    ARGS are the go command's own, and its output and exit status come back as
    they are. Options of functrace stand before the verb, --otlp maybe among the go
    command's flags. `functrace go clean` empties functrace's cache.
    """
    if verb == "clean":
        for folder in map(Path, folders.own_parts()):
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # there is something else in it
                folder.parent.rmdir()
    elif verb in _UNTRACED:
        ctx.exit(_plain(verb, arguments))
    elif verb in gobuild.TRACED:
        quiet = flags["quiet"]
        tell = (lambda _: None) if quiet else (lambda outcome: _tell(verb, outcome))
        words = _without_otlp(verb, list(arguments))
        flags["otlp"] |= len(words) < len(arguments)
        ctx.exit(gobuild.run(_request(flags), verb, words, tell))
    else:
        raise click.UsageError(f"go {verb} compiles nothing: run it without functrace")


def _without_otlp(verb: str, arguments: list[str]) -> list[str]:
    """The arguments without ``--otlp``, if that is one of the flags before any package."""
    at = 0
    for flag in parse(verb, arguments).given:
        if not isinstance(flag, Flag):
            break
        if flag.words == ("--otlp",):
            return arguments[:at] + arguments[at + 1 :]
        at += len(flag.words)
    return arguments


def _plain(verb: str, arguments: tuple[str, ...]) -> int:
    go = toolchain.require().go
    return subprocess.run([go, verb, *arguments], check=False).returncode


def _request(flags: dict[str, Any]) -> Request:
    return Request(
        options=shared_options.for_go(flags),
        deps=tuple(flags["deps"]),
        std=flags["std"],
        dry_run=flags["dry_run"],
        keep=Path(flags["keep"]).resolve() if flags["keep"] else None,
        otlp=flags["otlp"],
    )


def _tell(verb: str, outcome: Outcome) -> None:
    """The summary, on standard error."""
    found = outcome.summary
    if found is None:
        return
    source_summary.build(found, f"go {verb}", outcome.packages)
    if outcome.output:
        terminal.echo(f"  call chains: {outcome.output}", err=True)
