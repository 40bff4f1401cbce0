"""functrace runtime: the Go runtime in and out of a module."""

from __future__ import annotations

from pathlib import Path

import click

from functrace.errors import FunctraceError, UsageError
from functrace.golang import runtime as go_runtime
from functrace.golang.importers import importers
from functrace.golang.module import Module, module_of

_folder = click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))


@click.group()
def runtime() -> None:
    """Put the Go runtime into a module, or take it out; no network, go.mod stays as it is."""


@runtime.command()
@_folder
@click.option("--http", is_flag=True, help="And a handler to start, stop and fetch recordings.")
@click.option("--otlp", is_flag=True, help="And the program that FUNCTRACE=otlp starts.")
def add(folder: str, http: bool, otlp: bool) -> None:
    """Write the runtime to internal/functrace of the module that FOLDER is in."""
    module = _module(folder)
    path = go_runtime.own_import_path(module)
    changed = go_runtime.add(module.root / go_runtime.FOLDER, path if http else None, sender=otlp)
    click.echo(f"{path}: {f'{len(changed)} files written' if changed else 'already there'}")
    if http:
        click.echo(
            f'next: http.Handle("/debug/functrace/", tracehttp.Handler()) of {path}/tracehttp'
        )
    if otlp:
        place = f"{go_runtime.FOLDER}/{go_runtime.SENDER}"
        click.echo(f"next: go build -C {place} -o functrace-otlp . and have that on PATH")
    click.echo("next: functrace inject -w ./... and go run -tags trace .")


@runtime.command()
@_folder
@click.option("--force", is_flag=True, help="Even if files still import it.")
def remove(folder: str, force: bool) -> None:
    """Take the runtime out of the module that FOLDER is in."""
    module = _module(folder)
    path = go_runtime.own_import_path(module)
    using = [*importers(module.root, path), *importers(module.root, f"{path}/tracehttp")]
    if using and not force:
        raise FunctraceError(
            f"{len(using)} files import {path}, such as {using[0]}: "
            f"run `functrace strip -w {folder}` first, or give --force"
        )
    removed = go_runtime.remove(module.root / go_runtime.FOLDER, path)
    click.echo(f"{path}: {len(removed)} files removed")


def _module(folder: str) -> Module:
    module = module_of(Path(folder).resolve())
    if module is None:
        raise UsageError(f"no go.mod in {folder} or above it: `go mod init` makes a module")
    return module
