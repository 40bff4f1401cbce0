"""Summaries of inject, strip and builds, on standard error."""

from __future__ import annotations

from collections import Counter

from functrace.cli.render import terminal
from functrace.results import Summary
from functrace.units import count, several


def summary(found: Summary, verb: str, done: str) -> None:
    """Print the counts of files and functions: changed, skipped with reasons, failed."""
    errors(found)
    of = f"{count(found.changed)} of " if found.changed != found.files else ""
    files = of + several(found.files, "file")
    traced = f", {count(found.traced)} already traced" if found.traced else ""
    current = f", {several(found.unchanged, 'file')} up to date" if found.unchanged else ""
    functions = several(found.functions, "function")
    done = f"{files}, {functions} {done}{traced}{current}"
    _conclude(f"functrace {verb}: {done}", found)


def build(found: Summary, verb: str, packages: int) -> None:
    """Print the counts of a build's instrumented functions and packages."""
    errors(found)
    functions, of = several(found.functions, "function"), several(packages, "package")
    what = f"{functions} of {of} instrumented"
    if not found.functions:
        what = "no function was instrumented; the program will not be traced"
    _conclude(f"functrace {verb}: {what}", found)


def _conclude(line: str, found: Summary) -> None:
    terminal.echo(line, err=True, bold=True)
    _reasons("skipped", found.skipped)
    _reasons("left alone", found.left)
    if found.errors:
        files = len(found.errors) - found.folders
        counts = ((files, "file"), (found.folders, "folder"))
        failed = " and ".join(several(number, noun) for number, noun in counts if number)
        were = "it was" if len(found.errors) == 1 else "they were"
        terminal.echo(f"  failed: {failed}, left as {were}", err=True, fg="red")
    for note in found.notes:
        terminal.echo(f"  note: {note}", err=True, fg="yellow")


def errors(found: Summary) -> None:
    """Print a line for each error."""
    for error in sorted(found.errors):
        terminal.echo(error, err=True, fg="red")


def _reasons(title: str, reasons: Counter[str]) -> None:
    if reasons:
        text = ", ".join(f"{count(number)} {reason}" for reason, number in reasons.most_common())
        terminal.echo(f"  {title}: {text}", err=True)


def as_json(found: Summary) -> None:
    """Print the summary as JSON on standard output."""
    terminal.print_json(found.as_json())
