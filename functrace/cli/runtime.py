"""The verb ``functrace runtime``: adds the Go runtime to a module, or removes it."""

from __future__ import annotations

from pathlib import Path

import click

from functrace.cli import renamed
from functrace.cli.render import terminal
from functrace.errors import FunctraceError, UsageError
from functrace.sources.go import runtime_copy as go_runtime
from functrace.sources.go import runtime_folder
from functrace.sources.go.module import Module, find_module
from functrace.sources.go.runtime_imports import find_importers

_folder = click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))


@click.group(no_args_is_help=False)
def runtime() -> None:
    """Add the Go runtime to a module, or remove it; needs no network and keeps go.mod unchanged."""


@runtime.command()
@_folder
@click.option(
    "-o",
    "--out",
    metavar="DIR",
    help="Write to this folder of the module, such as internal/tracing; functrace is appended "
    "unless the path ends with it.",
)
@click.option(
    "--http", is_flag=True, help="Add an HTTP handler that starts, stops and serves recordings."
)
@click.option(
    "--otlp", is_flag=True, help="Add the sources of the sender that FUNCTRACE=otlp starts."
)
@renamed.refuse_options("runtime add")
def add(folder: str, out: str | None, http: bool, otlp: bool) -> None:
    """Write the Go runtime to internal/functrace in the module that contains FOLDER.

    If that folder is in use, the runtime is written to internal/tracing/functrace or another
    free folder. An existing runtime is updated in place.
    """
    module = _module(folder)
    place = runtime_folder.choose(module) if out is None else runtime_folder.check(module, out)
    path = module.import_path(place)
    changed = go_runtime.add(place, path if http else None, sender=otlp)
    runtime_folder.clear_cache()
    terminal.echo(f"{path}: {f'{len(changed)} files written' if changed else 'already there'}")
    if http:
        terminal.echo(
            f'next: http.Handle("/debug/functrace/", tracehttp.Handler()) of {path}/tracehttp'
        )
    if otlp:
        sender = place.relative_to(module.root) / go_runtime.SENDER
        terminal.echo(
            f"next: go build -C {sender.as_posix()} -o functrace-otlp . and put that on PATH"
        )
    terminal.echo("next: functrace inject -w ./... and go run -tags trace .")


@runtime.command()
@_folder
@click.option("--force", is_flag=True, help="Remove it even if files still import it.")
def remove(folder: str, force: bool) -> None:
    """Remove the Go runtime from the module that contains FOLDER."""
    module = _module(folder)
    place = runtime_folder.find(module)
    if place is None:
        raise FunctraceError(f"module {module.path} contains no functrace runtime")
    path = module.import_path(place)
    using = [*find_importers(module.root, path), *find_importers(module.root, f"{path}/tracehttp")]
    if using and not force:
        raise FunctraceError(
            f"{len(using)} files import {path}, such as {using[0]}: "
            f"run `functrace strip -w {folder}` first, or add --force"
        )
    removed = go_runtime.remove(place, path)
    runtime_folder.clear_cache()
    terminal.echo(f"{path}: {len(removed)} files removed")


def _module(folder: str) -> Module:
    module = find_module(Path(folder).resolve())
    if module is None:
        raise UsageError(f"no go.mod in {folder} or above it; run `go mod init` first")
    return module
