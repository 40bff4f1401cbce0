"""functrace runtime: the Go runtime in and out of a module."""

from __future__ import annotations

from pathlib import Path

import click

from functrace.cli.render import terminal
from functrace.errors import FunctraceError, UsageError
from functrace.sources.go import runtime_copy as go_runtime
from functrace.sources.go import runtime_folder
from functrace.sources.go.module import Module, find_module
from functrace.sources.go.runtime_imports import find_importers

_folder = click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))


@click.group()
def runtime() -> None:
    """Put the Go runtime into a module, or take it out; no network, go.mod stays as it is."""


@runtime.command()
@_folder
@click.option(
    "--to",
    metavar="DIR",
    help="The folder in the module, such as internal/tracing/functrace; without functrace at its "
    "end, a folder of that name in it.",
)
@click.option("--http", is_flag=True, help="And a handler to start, stop and fetch recordings.")
@click.option("--otlp", is_flag=True, help="And the program that FUNCTRACE=otlp starts.")
def add(folder: str, to: str | None, http: bool, otlp: bool) -> None:
    """Write the runtime to internal/functrace of the module that FOLDER is in.

    If something else is there, it goes to internal/tracing/functrace or another
    free folder. A runtime that the module has is updated where it is.
    """
    module = _module(folder)
    place = runtime_folder.choose(module) if to is None else runtime_folder.check(module, to)
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
            f"next: go build -C {sender.as_posix()} -o functrace-otlp . and have that on PATH"
        )
    terminal.echo("next: functrace inject -w ./... and go run -tags trace .")


@runtime.command()
@_folder
@click.option("--force", is_flag=True, help="Even if files still import it.")
def remove(folder: str, force: bool) -> None:
    """Take the runtime out of the module that FOLDER is in."""
    module = _module(folder)
    place = runtime_folder.find(module)
    if place is None:
        raise FunctraceError(f"module {module.path} holds no functrace runtime")
    path = module.import_path(place)
    using = [*find_importers(module.root, path), *find_importers(module.root, f"{path}/tracehttp")]
    if using and not force:
        raise FunctraceError(
            f"{len(using)} files import {path}, such as {using[0]}: "
            f"run `functrace strip -w {folder}` first, or give --force"
        )
    removed = go_runtime.remove(place, path)
    runtime_folder.clear_cache()
    terminal.echo(f"{path}: {len(removed)} files removed")


def _module(folder: str) -> Module:
    module = find_module(Path(folder).resolve())
    if module is None:
        raise UsageError(f"no go.mod in {folder} or above it: `go mod init` makes a module")
    return module
