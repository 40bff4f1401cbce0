"""Everything that reaches the terminal, but for what a verb was asked to print."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from functrace.report import Summary
from functrace.units import count, several

_STYLES = {b"+": "green", b"-": "red", b"@": "cyan"}


@contextmanager
def progress(what: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing elsewhere; yields what to tell it, in bytes."""
    if not shown or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def counted(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """The same of what is counted; yields what to tell how many are done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        TextColumn("{task.completed:,}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def write(content: bytes) -> None:
    """Bytes to standard output as they are."""
    sys.stdout.buffer.write(content)


def paged(lines: Iterator[str]) -> None:
    """Lines to standard output as they come; on a terminal through a pager, as git does."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(lines)
        return
    os.environ.setdefault("LESS", "FRX")
    click.echo_via_pager(lines)


def diff(content: bytes) -> None:
    """A diff to standard output, in colour on a terminal."""
    if not sys.stdout.isatty():
        write(content)
        return
    for line in content.splitlines(keepends=True):
        click.secho(line.decode(errors="replace"), fg=_STYLES.get(line[:1]), nl=False)


def summary(found: Summary, verb: str, done: str) -> None:
    """Print what a run did on standard error: files, functions, skipped with reasons, failed."""
    errors(found)
    of = f"{count(found.changed)} of " if found.changed != found.files else ""
    files = of + several(found.files, "file")
    traced = f", {count(found.traced)} already traced" if found.traced else ""
    current = f", {several(found.unchanged, 'file')} up to date" if found.unchanged else ""
    functions = several(found.functions, "function")
    line = f"functrace {verb}: {files}, {functions} {done}{traced}{current}"
    _conclude(line, found)


def build(found: Summary, verb: str, packages: int) -> None:
    """What a build instrumented, on standard error."""
    errors(found)
    functions, of = several(found.functions, "function"), several(packages, "package")
    what = f"{functions} of {of} instrumented"
    if not found.functions:
        what = "no function instrumented, so nothing will be traced"
    _conclude(f"functrace {verb}: {what}", found)


def _conclude(line: str, found: Summary) -> None:
    click.secho(line, err=True, bold=True)
    _reasons("skipped", found.skipped)
    _reasons("left alone", found.left)
    if found.errors:
        files = len(found.errors) - found.folders
        counts = ((files, "file"), (found.folders, "folder"))
        failed = " and ".join(several(number, noun) for number, noun in counts if number)
        were = "it was" if len(found.errors) == 1 else "they were"
        click.secho(f"  failed: {failed}, left as {were}", err=True, fg="red")
    for note in found.notes:
        click.secho(f"  note: {note}", err=True, fg="yellow")


def errors(found: Summary) -> None:
    """What failed, a line each."""
    for error in sorted(found.errors):
        click.secho(error, err=True, fg="red")


def _reasons(title: str, reasons: Counter[str]) -> None:
    if reasons:
        told = ", ".join(f"{count(number)} {reason}" for reason, number in reasons.most_common())
        click.echo(f"  {title}: {told}", err=True)


def as_json(found: Summary) -> None:
    """The same for scripts, on standard output."""
    click.echo(json.dumps(found.as_json(), indent=2))
