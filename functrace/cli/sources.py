"""What inject and strip share: from flags to a request, from a summary to an exit status."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from functrace.cli import output
from functrace.errors import UsageError
from functrace.golang import job, stdin
from functrace.golang.request import Mode, Request, Verb
from functrace.report import FileResult, Summary
from rewriter.golang import Layout, Options
from rewriter.select import Selection

_DONE = {Verb.INJECT: "instrumented", Verb.STRIP: "stripped"}


@dataclass(frozen=True)
class Reporting:
    """How to tell what was done."""

    check: bool
    diff: bool
    json: bool
    quiet: bool
    verbose: bool


def execute(verb: Verb, paths: tuple[str, ...], flags: dict[str, Any]) -> int:
    """Do what the command line asks for and return the exit status."""
    told = Reporting(**{name: flags[name] for name in Reporting.__annotations__})
    request = Request(
        verb=verb,
        mode=_mode(paths, flags),
        paths=paths,
        out=Path(flags["out"]) if flags["out"] else None,
        options=_options(flags),
        runtime_import=flags["runtime_import"],
        everything=flags["all"],
        name_skipped=told.verbose,
    )
    if "-" in paths:
        found = stdin.run(request, sys.stdin.buffer.read(), lambda result: _show(result, told))
    else:
        with output.progress(verb.value, shown=not (told.quiet or told.json)) as progress:
            found = job.run(request, lambda result: _show(result, told), progress)
    return _conclude(request, found, told)


def _mode(paths: tuple[str, ...], flags: dict[str, Any]) -> Mode:
    asked = [f"--{n}" for n in ("write", "out", "diff", "check") if flags[n]]
    if len(asked) > 1 and asked != ["--diff", "--check"]:
        raise UsageError(f"{' and '.join(asked)} do not go together")
    if "-" in paths and (len(paths) > 1 or flags["write"] or flags["out"]):
        raise UsageError(
            "- is standard input: it stands alone, and its result goes to standard output"
        )
    if not paths:
        raise UsageError("name a file or folder, or ./... for all below this one")
    missing = [p for p in paths if p != "-" and not Path(p.removesuffix("...") or ".").exists()]
    if missing:
        raise UsageError(f"{missing[0]}: no such file or folder")
    if flags["json"] and flags["diff"]:
        raise UsageError("--json and --diff both want standard output")
    for name, mode in (
        ("write", Mode.IN_PLACE),
        ("out", Mode.TREE),
        ("diff", Mode.DIFF),
        ("check", Mode.COUNT),
    ):
        if flags[name]:
            return mode
    if len(paths) == 1 and not flags["json"] and (paths[0] == "-" or Path(paths[0]).is_file()):
        return Mode.TEXT
    raise UsageError("say what to do with the result: -w, --out DIR, --diff or --check")


def _options(flags: dict[str, Any]) -> Options:
    selection = Selection(
        include=tuple(flags.get("include", ())),
        exclude=tuple(flags.get("exclude", ())),
        min_lines=flags.get("min_lines", 0),
        exported_only=flags.get("exported_only", False),
    )
    return Options(
        layout=Layout(flags.get("layout", "source")),
        closures=flags.get("closures", False),
        skip_generated=flags.get("skip_generated", False),
        selection=selection,
    )


def _show(result: FileResult, told: Reporting) -> None:
    if result.output:
        (output.diff if told.diff else output.write)(result.output)
    elif told.check and result.changed and not told.json:
        click.echo(f"{result.path}: {result.functions} functions")
    if told.verbose:
        if result.changed:
            click.echo(f"{result.path}: {result.functions} functions", err=True)
        for name in result.names:
            click.echo(f"{result.path}:{name}", err=True)


def _conclude(request: Request, found: Summary, told: Reporting) -> int:
    if not found.files:
        found = replace(found, notes=[*found.notes, "no Go files there"])
    selection = request.options.selection
    missed = bool(selection.include) and not (found.functions or found.traced)
    if missed:
        found = replace(found, notes=[*found.notes, "no function matches --include"])
    if told.json:
        output.as_json(found)
    elif not told.quiet and not (
        request.mode is Mode.TEXT and not found.errors and not found.notes
    ):
        output.summary(found, request.verb.value, _DONE[request.verb])
    else:
        for error in found.errors:
            click.echo(error, err=True)
    failed = found.errors or not found.files or missed
    return 1 if failed or (told.check and found.changed) else 0
