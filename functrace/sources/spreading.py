"""Tasks spread over the cores; a folder with more than its share is cut into pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from functrace.results import FileResult
from functrace.sources.folder_tasks import Task
from functrace.sources.pool import size, spread

# Bytes from which on a piece is one: enough that no process waits long for another's last.
_PIECE = 500_000


def spread_out(
    work: Callable[[Task], list[FileResult]],
    tasks: Sequence[Task],
    progress: Callable[[int, int], None],
) -> Iterator[tuple[Task, list[FileResult]]]:
    """Yield each task with all its results, in whatever order they are done.

    ``progress`` gets bytes done and in all.
    """
    pieces = [(i, *piece) for i, task in enumerate(tasks) for piece in _pieces(task)]
    sizes = [size for _, _, size in pieces]
    found: list[list[FileResult]] = [[] for _ in tasks]
    missing = Counter(i for i, _, _ in pieces)
    done = 0
    for k, results in spread(work, [piece for _, piece, _ in pieces], sizes):
        i = pieces[k][0]
        found[i] += results
        missing[i] -= 1
        done += sizes[k]
        progress(done, sum(sizes))
        if not missing[i]:
            yield tasks[i], found[i]


def _pieces(task: Task) -> Iterator[tuple[Task, int]]:
    """The task in pieces, with the bytes of each, which its work is roughly proportional to."""
    sizes = {name: size(task.folder.path / name) for name in task.sources}
    rest = task
    for number, part in enumerate(task.parts):
        taken: list[str] = []
        for name in () if part.rewriter.neighbours else part.sources:
            taken.append(name)
            if sum(map(sizes.__getitem__, taken)) >= _PIECE:
                yield _only(task, number, taken), sum(map(sizes.__getitem__, taken))
                rest = _without(rest, number, taken)
                taken = []
    yield rest, 1 + sum(sizes[name] for name in rest.sources)


def _only(task: Task, number: int, names: Sequence[str]) -> Task:
    """The part of that number alone, with these of its sources."""
    nothing = [replace(part, sources=(), siblings=()) for part in task.parts]
    nothing[number] = replace(task.parts[number], sources=tuple(names), siblings=tuple(names))
    return replace(task, parts=tuple(nothing), copies=())


def _without(task: Task, number: int, names: Sequence[str]) -> Task:
    parts = list(task.parts)
    kept = tuple(name for name in parts[number].sources if name not in names)
    parts[number] = replace(parts[number], sources=kept, siblings=kept)
    return replace(task, parts=tuple(parts))
