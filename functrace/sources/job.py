"""A complete run of ``inject`` or ``strip``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from functrace.errors import UsageError
from functrace.results import FileResult, Summary
from functrace.sources import output_tree
from functrace.sources.folder_tasks import Task, find_broken_links, find_skipped_links, find_tasks
from functrace.sources.rewriting import rewrite
from functrace.sources.run_request import Mode, Request, Verb
from functrace.sources.scheduling import run_tasks

Work = Callable[[Task], list[FileResult]]


def run(
    request: Request,
    sink: Callable[[FileResult], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Summary:
    """Execute ``request`` and return the sum of the results.

    Args:
        request: what to do.
        sink: called with each file's result.
        progress: called with the bytes done and the bytes in total.

    Raises:
        FunctraceError: the request cannot be executed; nothing was changed.
        UsageError: the request is not valid; nothing was changed.
    """
    summary = Summary()
    found = list(find_tasks(request, summary.add_unreadable))
    summary.left.update(reason for task in found for reason in task.skip_reasons())
    for result in (*find_skipped_links(found), *find_broken_links(found)):
        summary.add([result])
        sink(result)
    by_language = [_folders(found, i) for i, _ in enumerate(request.languages)]
    if request.single_language_error and sum(map(bool, by_language)) > 1:
        raise UsageError(request.single_language_error)
    if request.verb is Verb.INJECT:
        for language, folders in zip(request.languages, by_language, strict=True):
            summary.notes += language.prepare(request, folders)

    def do(work: Work, todo: list[Task]) -> Iterator[tuple[Task, list[FileResult]]]:
        for task, results in run_tasks(work, todo, progress):
            summary.add(results)
            for result in results:
                sink(result)
            yield task, results

    done: list[tuple[Task, Sequence[FileResult]]]
    if request.mode is Mode.TREE and request.out is not None:
        done = output_tree.make(request.out.resolve(), request, found, summary, do)
    else:
        done = list(do(rewrite, [task for task in found if task.sources]))
    if request.verb is Verb.INJECT:
        summary.notes += _complete(request, found[0].folder.path, done)
    return summary


def _folders(found: list[Task], language: int) -> list[Path]:
    """Return the directories with sources of the request's language with this index."""
    return [task.folder.path for task in found if task.parts[language].sources]


def _complete(
    request: Request, root: Path, done: list[tuple[Task, Sequence[FileResult]]]
) -> Iterator[str]:
    for i, language in enumerate(request.languages):
        folders = [t.folder.path for t, results in done if t.has_instrumented(t.parts[i], results)]
        yield from language.complete(request, root, folders)
