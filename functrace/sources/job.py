"""A run of inject or strip from end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from functrace.errors import UsageError
from functrace.results import FileResult, Summary
from functrace.sources import output_tree
from functrace.sources.folder_tasks import Task, broken_links, left_links, tasks
from functrace.sources.request import Mode, Request, Verb
from functrace.sources.rewriting import rewrite
from functrace.sources.spreading import spread_out

Work = Callable[[Task], list[FileResult]]


def run(
    request: Request,
    sink: Callable[[FileResult], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Summary:
    """Do what is asked; ``sink`` gets each file's result, ``progress`` bytes done and in all.

    Raises:
        FunctraceError: nothing can be done; nothing was.
        UsageError: nor should it be.
    """
    summary = Summary()
    found = list(tasks(request, summary.add_unreadable))
    summary.left.update(reason for task in found for reason in task.left())
    for result in (*left_links(found), *broken_links(found)):
        summary.add([result])
        sink(result)
    by_language = [_folders(found, i) for i, _ in enumerate(request.languages)]
    if request.for_one and sum(map(bool, by_language)) > 1:
        raise UsageError(request.for_one)
    if request.verb is Verb.INJECT:
        for language, folders in zip(request.languages, by_language, strict=True):
            summary.notes += language.prepare(request, folders)

    def do(work: Work, todo: list[Task]) -> Iterator[tuple[Task, list[FileResult]]]:
        for task, results in spread_out(work, todo, progress):
            summary.add(results)
            for result in results:
                sink(result)
            yield task, results

    made: list[tuple[Task, Sequence[FileResult]]]
    if request.mode is Mode.TREE and request.out is not None:
        made = output_tree.make(request.out.resolve(), request, found, summary, do)
    else:
        made = list(do(rewrite, [task for task in found if task.sources]))
    if request.verb is Verb.INJECT:
        summary.notes += _complete(request, found[0].folder.path, made)
    return summary


def _folders(found: list[Task], language: int) -> list[Path]:
    """The folders with sources of the run's language of that number."""
    return [task.folder.path for task in found if task.parts[language].sources]


def _complete(
    request: Request, root: Path, made: list[tuple[Task, Sequence[FileResult]]]
) -> Iterator[str]:
    for i, language in enumerate(request.languages):
        folders = [t.folder.path for t, results in made if t.instrumented(t.parts[i], results)]
        yield from language.complete(request, root, folders)
