"""An output tree: instrumented files at their places, every other file as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from functrace import __version__
from functrace.results import FileResult, Summary
from functrace.sources import manifest
from functrace.sources.copy import copy
from functrace.sources.folder_tasks import Task
from functrace.sources.manifest import Made, Manifest
from functrace.sources.request import Request
from functrace.sources.rewriting import rewrite

Spread = Callable[
    [Callable[[Task], list[FileResult]], list[Task]], Iterator[tuple[Task, list[FileResult]]]
]


def make(
    out: Path, request: Request, tasks: list[Task], summary: Summary, spread: Spread
) -> list[tuple[Task, Sequence[FileResult]]]:
    """Make or renew the tree at ``out``; what has not changed since the last run is not touched.

    Returns each task with its results, of this run or an earlier one.

    Raises:
        FunctraceError: the folder cannot be written, or is another run's.
        UsageError: the folder holds something that functrace did not make.
    """
    root = tasks[0].folder.path
    manifest.claim(out)
    with manifest.locked(out):
        before = manifest.load(out, _key(request))
        after = Manifest(before.key)
        stale = list(_stale(tasks, before, after, summary))
        if stale or before.folders.keys() != after.folders.keys():
            _renew(out, partial(_make_folder, root), stale, before, after, summary, spread)
    return [(task, after.folders[task.folder.relative].results) for task in tasks]


def _renew(
    out: Path,
    work: Callable[[Task], list[FileResult]],
    stale: list[Task],
    before: Manifest,
    after: Manifest,
    summary: Summary,
    spread: Spread,
) -> None:
    """Make the stale folders anew and delete what is no longer in the sources."""
    for task in stale:
        _target(task).mkdir(parents=True, exist_ok=True)
    try:
        for task, results in spread(work, stale):
            summary.copied += len(task.folder.others)
            after.folders[task.folder.relative] = _made(task, results)
    finally:
        # An interrupted run leaves what either run has put here.
        manifest.save(out, Manifest(after.key, {**before.folders, **after.folders}))
    manifest.prune(out, before, after)
    manifest.save(out, after)


def _key(request: Request) -> str:
    wishes = (__version__, request.verb, request.languages)
    return hashlib.sha256(repr(wishes).encode()).hexdigest()


def _target(task: Task) -> Path:
    if task.target is None:
        raise ValueError("a task of a tree has a target")
    return task.target


def _stale(
    tasks: list[Task], before: Manifest, after: Manifest, summary: Summary
) -> Iterator[Task]:
    """Yield the tasks whose folder changed; take over what is known of the others."""
    for task in tasks:
        current = before.current(task.folder, _target(task), _folder_key(task))
        if current is None:
            yield task
        else:
            after.folders[task.folder.relative] = current
            summary.add(current.results)
            summary.unchanged += len(current.stamps)


def _folder_key(task: Task) -> str:
    return repr((task.folder.reasons, *((p.rewriter.key, p.rewriter.reason) for p in task.parts)))


def _make_folder(root: Path, task: Task) -> list[FileResult]:
    """Rewrite the sources of a folder and copy everything else in it."""
    results = rewrite(task)
    for name in task.copies:
        error = copy(task.folder.path / name, _target(task) / name, root)
        if error:
            results.append(FileResult(task.label + name, error=f" {error}"))
    return results


def _made(task: Task, results: list[FileResult]) -> Made:
    stamps = manifest.stamps(task.folder, _target(task))
    return Made(_folder_key(task), stamps, tuple(results))
