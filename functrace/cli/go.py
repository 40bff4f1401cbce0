"""The verb ``functrace go``: the go command with instrumentation."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click

from functrace.cache import folders
from functrace.cli import renamed, shared_options
from functrace.cli.configured import ConfiguredCommand
from functrace.cli.render import source_summary, terminal
from functrace.gobuild import go_run as gobuild
from functrace.gobuild.go_command import Flag, parse
from functrace.gobuild.go_run import Outcome
from functrace.gobuild.prepare import Request
from functrace.sources.go import toolchain

_UNTRACED = ("generate", "list", "vet")


@click.command(
    cls=ConfiguredCommand,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
)
@click.argument("verb", metavar="build|run|test|install|generate|vet|list|clean")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="ARGS...")
@shared_options.filters
@shared_options.closures(default=True)
@shared_options.record_errors(default=True)
@click.option(
    "--deps",
    multiple=True,
    metavar="GLOB",
    help="Also instrument matching packages of other modules, or all; repeatable.",
)
@shared_options.std
@click.option(
    "--otlp",
    is_flag=True,
    help="Build in the sender for FUNCTRACE=otlp, which exports calls while the program runs.",
)
@click.option(
    "--light",
    is_flag=True,
    help="Leave out functions that the compiler can inline, unless they return an error or "
    "--include names them.",
)
@click.option("--dry-run", is_flag=True, help="Print the go command; do not run it.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Keep a copy of the instrumented files in DIR.",
)
@shared_options.quiet
@renamed.refuse_options("go")
@click.pass_context
def go(ctx: click.Context, /, verb: str, arguments: tuple[str, ...], **flags: Any) -> None:
    """Run the go command on instrumented copies of the sources; no source file changes.

    ARGS are flags and arguments of the go command. Its output and exit status are passed on
    unchanged. Place functrace's options before the verb; --otlp may also follow it, among the go
    command's flags. `functrace go clean` empties functrace's cache.
    """
    if verb == "clean":
        for folder in map(Path, folders.own_parts()):
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # not empty
                folder.parent.rmdir()
    elif verb in _UNTRACED:
        ctx.exit(_run_untraced(verb, arguments))
    elif verb in gobuild.TRACED:
        quiet = flags["quiet"]
        report = (lambda _: None) if quiet else (lambda outcome: _print_summary(verb, outcome))
        words = _without_otlp(verb, list(arguments))
        flags["otlp"] |= len(words) < len(arguments)
        ctx.exit(gobuild.run(_request(flags), verb, words, report))
    else:
        raise click.UsageError(f"go {verb} does not compile anything; run it without functrace")


def _without_otlp(verb: str, arguments: list[str]) -> list[str]:
    """Return the arguments without ``--otlp`` if it is one of the flags before the packages."""
    at = 0
    for flag in parse(verb, arguments).given:
        if not isinstance(flag, Flag):
            break
        if flag.words == ("--otlp",):
            return arguments[:at] + arguments[at + 1 :]
        at += len(flag.words)
    return arguments


def _run_untraced(verb: str, arguments: tuple[str, ...]) -> int:
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
        light=flags["light"],
    )


def _print_summary(verb: str, outcome: Outcome) -> None:
    """Print the summary of a build on standard error."""
    found = outcome.summary
    if found is None:
        return
    source_summary.build(found, f"go {verb}", outcome.packages)
    if outcome.output:
        terminal.echo(f"  call chains: {outcome.output}", err=True)
