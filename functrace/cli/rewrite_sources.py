"""What inject and strip share: from flags to a request, from a summary to an exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from functrace.cli.render import progress, source_summary, terminal
from functrace.cli.shared_options import for_go, for_python
from functrace.errors import UsageError
from functrace.results import FileResult, Summary
from functrace.sources import job, stdin
from functrace.sources.go.language import Go
from functrace.sources.python.language import Python
from functrace.sources.request import Language, Mode, Request, Verb
from functrace.units import several

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
        languages=tuple(_languages(flags)),
        everything=flags["all"],
        name_skipped=told.verbose,
        single_language_error=_for_one(flags["runtime_import"]),
    )
    results: list[FileResult] = []
    if "-" in paths:
        text = sys.stdin.buffer.read()
        found = stdin.run(request, text, flags["stdin_name"], results.append)
    else:
        with progress.progress(verb.value, shown=not (told.quiet or told.json)) as tell:
            found = job.run(request, results.append, tell)
    for result in sorted(results, key=lambda r: r.path):
        _show(result, told)
    include, exclude = flags.get("include", ()), flags.get("exclude", ())
    missed = _missed(request, found, filtered=bool(include))
    notes = list(found.unmatched(include, exclude)) if found.files else []
    # A glob that matches nothing says more than that all of them do.
    notes += [missed] if missed and not any(n.startswith("--include") for n in notes) else []
    found = replace(found, notes=[*found.notes, *notes])
    _conclude(request, found, told)
    return 1 if found.errors or missed or (told.check and found.changed) else 0


def _languages(flags: dict[str, Any]) -> Iterator[Language]:
    runtime = flags["runtime_import"]
    if flags["language"] in (None, "go"):
        yield Go(for_go(flags), runtime)
    if flags["language"] in (None, "python"):
        options = for_python(flags)
        yield Python(replace(options, runtime_import=runtime) if _is_module(runtime) else options)


def _is_module(runtime: str | None) -> bool:
    """Whether Python can import what ``--runtime-import`` says; Go's own paths it cannot."""
    return runtime is not None and all(map(str.isidentifier, runtime.split(".")))


def _for_one(runtime: str | None) -> str | None:
    """Why ``--runtime-import`` cannot be meant for all languages, if so."""
    if not _is_module(runtime):
        return None
    return f"--runtime-import {runtime}: there are sources of several languages; add --language"


# Each way of dealing with the result, by its flag; --check may go with --diff.
_MODES = {
    "write": Mode.IN_PLACE,
    "out": Mode.TREE,
    "diff": Mode.DIFF,
    "check": Mode.COUNT,
}


def _mode(paths: tuple[str, ...], flags: dict[str, Any]) -> Mode:
    asked = [name for name in _MODES if flags[name]]
    _refuse_nonsense(paths, asked, flags)
    if asked:
        return _MODES[asked[0]]
    if len(paths) == 1 and not flags["json"] and (paths[0] == "-" or Path(paths[0]).is_file()):
        return Mode.TEXT
    raise UsageError("say what to do with the result: -w, --out DIR, --diff or --check")


def _refuse_nonsense(paths: tuple[str, ...], asked: list[str], flags: dict[str, Any]) -> None:
    if not paths:
        raise UsageError("name a file or folder, or ./... for all below this one")
    if len(asked) > 1 and asked != ["diff", "check"]:
        raise UsageError(f"{' and '.join(f'--{name}' for name in asked)} do not go together")
    if flags["stdin_name"] and paths != ("-",):
        raise UsageError("--stdin-name goes with - only")
    if "-" in paths and (len(paths) > 1 or flags["write"] or flags["out"]):
        raise UsageError("- is standard input: it stands alone, and goes to standard output")
    if flags["json"] and flags["diff"]:
        raise UsageError("--json and --diff both want standard output")


def _show(result: FileResult, told: Reporting) -> None:
    if result.output:
        if told.diff:
            terminal.diff(result.output)
        else:
            terminal.write([result.output])
    elif told.check and result.changed and not told.json:
        terminal.echo(f"{result.path}: {several(result.functions, 'function')}")
    if told.verbose:
        if result.changed:
            terminal.echo(f"{result.path}: {several(result.functions, 'function')}", err=True)
        if result.reason:
            terminal.echo(f"{result.path}: {result.reason}", err=True)
        for name in result.names:
            terminal.echo(f"{result.path}:{name}", err=True)


def _conclude(request: Request, found: Summary, told: Reporting) -> None:
    is_filter = request.mode is Mode.TEXT and not (found.errors or found.notes)
    if told.json:
        source_summary.as_json(found)
    elif told.quiet or is_filter:
        source_summary.errors(found)
    else:
        source_summary.summary(found, request.verb.value, _DONE[request.verb])


def _missed(request: Request, found: Summary, *, filtered: bool) -> str | None:
    """What the command line asked for and was not there."""
    if not found.files:
        return f"no {request.language_names()} files there"
    if filtered and not (found.functions or found.traced):
        return "no function that can be instrumented matches --include"
    return None
