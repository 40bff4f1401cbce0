"""A run of inject or strip from end to end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from functrace.errors import FunctraceError
from functrace.files.pool import size, spread
from functrace.files.walk import Folder
from functrace.golang import runtime, tree
from functrace.golang.module import module_of
from functrace.golang.request import Mode, Request, Verb
from functrace.golang.rewrite import rewrite
from functrace.golang.tasks import Task, tasks
from functrace.report import FileResult, Summary

Work = Callable[[Task], list[FileResult]]


def run(
    request: Request,
    sink: Callable[[FileResult], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Summary:
    """Do what is asked; ``sink`` gets each file's result, ``progress`` bytes done and in all.

    Raises:
        FunctraceError: nothing can be done; nothing was.
    """
    found = list(tasks(request))
    summary = Summary()
    summary.left.update(t.folder.reason for t in found if t.folder.reason)
    if request.verb is Verb.INJECT and request.mode is not Mode.TREE:
        summary.notes += _runtime_notes(request, found)

    def spread_out(work: Work, todo: list[Task]) -> Iterator[tuple[Task, list[FileResult]]]:
        sizes = [_size(task.folder) for task in todo]
        done = 0
        for i, results in spread(work, todo, sizes):
            done += sizes[i]
            summary.add(results)
            for result in results:
                sink(result)
            progress(done, sum(sizes))
            yield todo[i], results

    if request.mode is Mode.TREE and request.out is not None:
        tree.make(request.out.resolve(), request, found, summary, spread_out)
    else:
        for _ in spread_out(rewrite, [task for task in found if task.folder.sources]):
            pass
    return summary


def _size(folder: Folder) -> int:
    """Bytes of a folder's sources, which its work is roughly proportional to."""
    return 1 + sum(size(folder.path / name) for name in folder.sources)


def _runtime_notes(request: Request, found: list[Task]) -> Iterator[str]:
    """Tell of sources whose import will lead nowhere.

    Raises:
        FunctraceError: they would be changed in place and no longer build.
    """
    if request.runtime_import:
        return
    modules = dict.fromkeys(module_of(t.folder.path) for t in found if t.folder.sources)
    for module in modules:
        if module is None:
            yield (
                f'no go.mod above the sources, so they import "{runtime.OWN_PATH}"; '
                "--runtime-import chooses another path"
            )
        elif not runtime.import_path(module):
            advice = f"run `functrace runtime add {os.path.relpath(module.root)}`"
            if request.mode is Mode.IN_PLACE:
                raise FunctraceError(
                    f"module {module.path} has no functrace runtime, so its sources would no "
                    f"longer build: {advice}, or give --runtime-import. Nothing was changed."
                )
            yield f"module {module.path} has no functrace runtime yet: {advice}"
