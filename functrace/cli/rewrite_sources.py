"""Common implementation of inject and strip: from options to the exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from functrace.cli.render import progress, source_summary, terminal
from functrace.cli.shared_options import for_go, for_python, get_filters
from functrace.errors import UsageError
from functrace.results import FileResult, Summary
from functrace.sources import job, stdin
from functrace.sources.go.language import Go
from functrace.sources.python.language import Python
from functrace.sources.run_request import Language, Mode, Request, Verb
from functrace.units import several

_DONE = {Verb.INJECT: "instrumented", Verb.STRIP: "stripped"}


@dataclass(frozen=True)
class Reporting:
    """Options that select what is reported."""

    check: bool
    diff: bool
    as_json: bool
    quiet: bool
    verbose: bool


def execute(verb: Verb, paths: tuple[str, ...], flags: dict[str, Any]) -> int:
    """Rewrite the sources as the options specify, and return the exit status."""
    reporting = Reporting(**{name: flags[name] for name in Reporting.__annotations__})
    request = Request(
        verb=verb,
        mode=_mode(paths, flags),
        paths=paths,
        out=Path(flags["out"]) if flags["out"] else None,
        languages=tuple(_languages(flags)),
        everything=flags["all"],
        name_skipped=reporting.verbose,
        single_language_error=_ambiguity(flags["runtime_import"]),
    )
    results: list[FileResult] = []
    if "-" in paths:
        text = sys.stdin.buffer.read()
        found = stdin.run(request, text, flags["stdin_name"], results.append)
    else:
        with progress.progress(
            verb.value, shown=not (reporting.quiet or reporting.as_json)
        ) as update:
            found = job.run(request, results.append, update)
    for result in sorted(results, key=lambda r: r.path):
        _show(result, reporting)
    filters = get_filters(flags)
    missed = _nothing_matched(request, found, filtered=filters.has_includes)
    notes = list(found.list_unmatched(filters)) if found.files else []
    # The name of a glob that matches nothing is more helpful than the general note.
    notes += [missed] if missed and not any(n.startswith("--include") for n in notes) else []
    found = replace(found, notes=[*found.notes, *notes])
    _conclude(request, found, reporting)
    return 1 if found.errors or missed or (reporting.check and found.changed) else 0


def _languages(flags: dict[str, Any]) -> Iterator[Language]:
    runtime = flags["runtime_import"]
    if flags["language"] in (None, "go"):
        yield Go(for_go(flags), runtime)
    if flags["language"] in (None, "python"):
        options = for_python(flags)
        yield Python(replace(options, runtime_import=runtime) if _is_module(runtime) else options)


def _is_module(runtime: str | None) -> bool:
    """Return whether ``--runtime-import`` is a Python module name and not a Go import path."""
    return runtime is not None and all(map(str.isidentifier, runtime.split(".")))


def _ambiguity(runtime: str | None) -> str | None:
    """Return the error for sources of several languages if ``--runtime-import`` is for one."""
    if not _is_module(runtime):
        return None
    return f"--runtime-import {runtime}: the sources have several languages; add --language"


# The mode of each flag; only --diff and --check can be combined.
_MODES = {
    "write": Mode.IN_PLACE,
    "out": Mode.TREE,
    "diff": Mode.DIFF,
    "check": Mode.COUNT,
}


def _mode(paths: tuple[str, ...], flags: dict[str, Any]) -> Mode:
    given = [name for name in _MODES if flags[name]]
    _check_flags(paths, given, flags)
    if given:
        return _MODES[given[0]]
    if len(paths) == 1 and not flags["as_json"] and (paths[0] == "-" or Path(paths[0]).is_file()):
        return Mode.TEXT
    raise UsageError("no output selected; add -w, --out DIR, --diff or --check")


def _check_flags(paths: tuple[str, ...], given: list[str], flags: dict[str, Any]) -> None:
    if not paths:
        raise UsageError(
            "no path given; name a file or folder, or ./... for everything below this one"
        )
    if len(given) > 1 and given != ["diff", "check"]:
        raise UsageError(f"{' and '.join(f'--{name}' for name in given)} cannot be combined")
    if flags["stdin_name"] and paths != ("-",):
        raise UsageError("--stdin-name requires - as the only path")
    if "-" in paths and (len(paths) > 1 or flags["write"] or flags["out"]):
        raise UsageError("- (standard input) cannot be combined with other paths, -w or --out")
    if flags["as_json"] and flags["diff"]:
        raise UsageError("--json and --diff cannot be combined: both print to standard output")


def _show(result: FileResult, reporting: Reporting) -> None:
    if result.output:
        if reporting.diff:
            terminal.diff(result.output)
        else:
            terminal.write([result.output])
    elif reporting.check and result.changed and not reporting.as_json:
        terminal.echo(f"{result.path}: {several(result.functions, 'function')}")
    if reporting.verbose:
        if result.changed:
            terminal.echo(f"{result.path}: {several(result.functions, 'function')}", err=True)
        if result.reason:
            terminal.echo(f"{result.path}: {result.reason}", err=True)
        for name in result.names:
            terminal.echo(f"{result.path}:{name}", err=True)


def _conclude(request: Request, found: Summary, reporting: Reporting) -> None:
    is_filter = request.mode is Mode.TEXT and not (found.errors or found.notes)
    if reporting.as_json:
        source_summary.as_json(found)
    elif reporting.quiet or is_filter:
        source_summary.errors(found)
    else:
        source_summary.summary(found, request.verb.value, _DONE[request.verb])


def _nothing_matched(request: Request, found: Summary, *, filtered: bool) -> str | None:
    """Return a note if no file, or no function, matches the command line."""
    if not found.files:
        return f"no {request.language_names()} files found"
    if filtered and not (found.functions or found.traced):
        return "no function that can be instrumented matches --include"
    return None
