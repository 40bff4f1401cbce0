"""Parallel execution of tasks, with large directories split into pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from functrace.results import FileResult
from functrace.sources.folder_tasks import Task
from functrace.sources.pool import get_file_size, run_parallel

# Minimum size of a piece, small enough that no process waits long for the last piece of another.
_PIECE_BYTES = 500_000


def run_tasks(
    work: Callable[[Task], list[FileResult]],
    tasks: Sequence[Task],
    progress: Callable[[int, int], None],
) -> Iterator[tuple[Task, list[FileResult]]]:
    """Yield each task with all its results, in order of completion.

    Call ``progress`` with the bytes done and the bytes in total.
    """
    pieces = [(i, *piece) for i, task in enumerate(tasks) for piece in _pieces(task)]
    sizes = [size for _, _, size in pieces]
    found: list[list[FileResult]] = [[] for _ in tasks]
    missing = Counter(i for i, _, _ in pieces)
    done = 0
    for k, results in run_parallel(work, [piece for _, piece, _ in pieces], sizes):
        i = pieces[k][0]
        found[i] += results
        missing[i] -= 1
        done += sizes[k]
        progress(done, sum(sizes))
        if not missing[i]:
            yield tasks[i], found[i]


def _pieces(task: Task) -> Iterator[tuple[Task, int]]:
    """Yield the pieces of a task and the size of each, a measure of its work."""
    sizes = {name: get_file_size(task.folder.path / name) for name in task.sources}
    rest = task
    for number, part in enumerate(task.parts):
        names: list[str] = []
        for name in () if part.rewriter.needs_neighbours else part.sources:
            names.append(name)
            if sum(map(sizes.__getitem__, names)) >= _PIECE_BYTES:
                yield _select(task, number, names), sum(map(sizes.__getitem__, names))
                rest = _exclude(rest, number, names)
                names = []
    yield rest, 1 + sum(sizes[name] for name in rest.sources)


def _select(task: Task, number: int, names: Sequence[str]) -> Task:
    """Return a copy of the task with only the sources ``names`` of part ``number``."""
    parts = [replace(part, sources=(), siblings=()) for part in task.parts]
    parts[number] = replace(task.parts[number], sources=tuple(names), siblings=tuple(names))
    return replace(task, parts=tuple(parts), copies=())


def _exclude(task: Task, number: int, names: Sequence[str]) -> Task:
    """Return a copy of the task without the sources ``names`` of part ``number``."""
    parts = list(task.parts)
    kept = tuple(name for name in parts[number].sources if name not in names)
    parts[number] = replace(parts[number], sources=kept, siblings=kept)
    return replace(task, parts=tuple(parts))
