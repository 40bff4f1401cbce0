"""Output tree of ``--out``: rewritten sources and copies of all other files."""

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
from functrace.sources.manifest import FolderRecord, Manifest
from functrace.sources.rewriting import rewrite
from functrace.sources.run_request import Request

RunTasks = Callable[
    [Callable[[Task], list[FileResult]], list[Task]], Iterator[tuple[Task, list[FileResult]]]
]


def make(
    out: Path, request: Request, tasks: list[Task], summary: Summary, run_tasks: RunTasks
) -> list[tuple[Task, Sequence[FileResult]]]:
    """Create or update the tree at ``out``; directories without changes are not touched.

    Returns each task with its results, from this run or an earlier one.

    Raises:
        FunctraceError: the directory cannot be written or is locked by another run.
        UsageError: the directory contains files that functrace did not write.
    """
    root = tasks[0].folder.path
    manifest.claim(out)
    with manifest.lock(out):
        before = manifest.load(out, _key(request))
        after = Manifest(before.key)
        stale = list(_stale(tasks, before, after, summary))
        if stale or before.folders.keys() != after.folders.keys():
            _renew(out, partial(_make_folder, root), stale, before, after, summary, run_tasks)
    return [(task, after.folders[task.folder.relative].results) for task in tasks]


def _renew(
    out: Path,
    work: Callable[[Task], list[FileResult]],
    stale: list[Task],
    before: Manifest,
    after: Manifest,
    summary: Summary,
    run_tasks: RunTasks,
) -> None:
    """Rewrite the stale directories and delete files that are no longer in the sources."""
    for task in stale:
        _target(task).mkdir(parents=True, exist_ok=True)
    try:
        for task, results in run_tasks(work, stale):
            summary.copied += len(task.folder.others)
            after.folders[task.folder.relative] = _record(task, results)
    finally:
        # After an interruption the tree has files of both runs.
        manifest.save(out, Manifest(after.key, {**before.folders, **after.folders}))
    manifest.prune(out, before, after)
    manifest.save(out, after)


def _key(request: Request) -> str:
    options = (__version__, request.verb, request.languages)
    return hashlib.sha256(repr(options).encode()).hexdigest()


def _target(task: Task) -> Path:
    if task.target is None:
        raise ValueError("task of an output tree has no target")
    return task.target


def _stale(
    tasks: list[Task], before: Manifest, after: Manifest, summary: Summary
) -> Iterator[Task]:
    """Yield the tasks whose directory changed; reuse the records of the others."""
    for task in tasks:
        current = before.find_current(task.folder, _target(task), _folder_key(task))
        if current is None:
            yield task
        else:
            after.folders[task.folder.relative] = current
            summary.add(current.results)
            summary.unchanged += len(current.stamps)


def _folder_key(task: Task) -> str:
    rewriters = ((p.rewriter.key, p.rewriter.skip_reason) for p in task.parts)
    return repr((task.folder.skip_reasons, *rewriters))


def _make_folder(root: Path, task: Task) -> list[FileResult]:
    """Rewrite the sources of a directory and copy its other files."""
    results = rewrite(task)
    for name in task.copies:
        error = copy(task.folder.path / name, _target(task) / name, root)
        if error:
            results.append(FileResult(task.label + name, error=f" {error}"))
    return results


def _record(task: Task, results: list[FileResult]) -> FolderRecord:
    stamps = manifest.stamps(task.folder, _target(task))
    return FolderRecord(_folder_key(task), stamps, tuple(results))
