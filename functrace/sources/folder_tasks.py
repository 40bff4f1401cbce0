"""From the paths a user typed to the folders to work on."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from functrace.errors import FunctraceError, UsageError
from functrace.results import FileResult
from functrace.sources import folder_filter
from functrace.sources.request import Language, Mode, Request, Rewriter
from functrace.sources.walk import Folder, Kind, is_file, walk


@dataclass(frozen=True)
class Part:
    """The work on one language's files in a folder.

    Attributes:
        rewriter: what does it.
        sources: names of the files to rewrite.
        siblings: names of all that it has to read for that.
        links: names of symbolic links, whose files are rewritten where they are, if at all.
    """

    rewriter: Rewriter
    sources: tuple[str, ...]
    siblings: tuple[str, ...]
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """One folder's work.

    Attributes:
        folder: its files.
        parts: the work in each of the run's languages.
        copies: names of the files that go into an output tree as they are.
        mode: what becomes of the result.
        target: the folder to write to in an output tree.
        label: what to put before a file's name to get the path the user knows.
        name_skipped: give the name of each function left alone.
    """

    folder: Folder
    parts: tuple[Part, ...]
    copies: tuple[str, ...]
    mode: Mode
    target: Path | None = None
    label: str = ""
    name_skipped: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all files to rewrite."""
        return tuple(name for part in self.parts for name in part.sources)

    def left(self) -> set[str]:
        """Why the folder is left alone: for every language, or for one that it has files of."""
        of_each = zip(self.parts, self.folder.reasons, strict=True)
        reasons = [reason or part.rewriter.reason for part, reason in of_each]
        for_all = None not in reasons
        has_files = zip(reasons, self.folder.sources, strict=True)
        return {reason for reason, names in has_files if reason and (names or for_all)}

    def instrumented(self, part: Part, results: Sequence[FileResult]) -> bool:
        """Whether a function in a file of ``part`` is instrumented, by the folder's results."""
        touched = {os.path.basename(r.path) for r in results if r.functions}
        return not touched.isdisjoint(part.sources)


def tasks(request: Request, unreadable: Callable[[str, str], None]) -> Iterator[Task]:
    """Yield a task for every folder that the request's paths lead to.

    ``unreadable`` is called with each folder below them that cannot be read, and why.

    Raises:
        UsageError: a path is not there, or in none of the languages.
        FunctraceError: a path cannot be read.
    """
    files: dict[Path, dict[str, Language]] = {}
    for typed in request.paths:
        path = _path(typed)
        _check_access(path, typed)
        if path.is_dir():
            label = _label(path)

            def report(folder: str, error: OSError, label: str = label) -> None:
                unreadable(label + folder, error.strerror or str(error))

            below = _below(request, path.resolve(), report)
            yield from (_task(request, folder, label) for folder in below)
        elif path.is_file():
            files.setdefault(path.parent, {})[path.name] = _language(request, path)
        else:
            what = f"not a {request.named()} file" if path.exists() else "no such file or folder"
            raise UsageError(f"{typed}: {what}")
    for parent, named in files.items():
        folder = _listed(request, parent.resolve(), named)
        yield _task(request, folder, _label(parent), named)


def left_links(found: Sequence[Task]) -> Iterator[FileResult]:
    """Yield what becomes of symbolic links: nothing, and that is told unless their file is done.

    Where that is out of the folders that were named, somebody else may want it as it is.
    """
    done = {task.folder.path / name for task in found for name in task.sources}
    for task in found:
        for name in (name for part in task.parts for name in part.links):
            if (task.folder.path / name).resolve() not in done:
                yield FileResult(task.label + name, reason="symbolic link")


def broken_links(found: Sequence[Task]) -> Iterator[FileResult]:
    """Yield a result for each symbolic link that cannot be followed."""
    for task in found:
        for name in task.folder.broken_links:
            yield FileResult(task.label + name, reason="unreadable symbolic link")


def _check_access(path: Path, typed: str) -> None:
    try:
        path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise FunctraceError(f"{typed}: {error.strerror}") from None


def _path(typed: str) -> Path:
    """``x/...`` is x and all below it, as for the go command; so is plain x."""
    return Path(typed.removesuffix("/...") or "/") if typed.endswith("/...") else Path(typed)


def _label(path: Path) -> str:
    return "" if path == Path() else f"{path.as_posix().rstrip('/')}/"


def _language(request: Request, path: Path) -> Language:
    for language in request.languages:
        if language.is_source(path):
            return language
    raise UsageError(f"{path}: not a {request.named()} file")


def _below(
    request: Request, root: Path, report: Callable[[str, OSError], None]
) -> Iterator[Folder]:
    kinds = [Kind(lang.suffixes, partial(_reason, request, lang)) for lang in request.languages]
    out = request.out.resolve() if request.out else None
    into_left = partial(_goes_into_left, request)
    return walk(root, kinds, into_left=into_left, avoid=out, report=report)


def _reason(request: Request, language: Language, folder: Path) -> str | None:
    common = None if request.everything else folder_filter.reason(folder)
    return common or language.reason(folder, everything=request.everything)


def _goes_into_left(request: Request, folder: Path) -> bool:
    """Whether an output tree needs the files of a folder that is left alone."""
    if request.everything:
        return True
    # A virtual environment names its own place in its files, so a copy of it is of no use.
    return request.mode is Mode.TREE and not folder_filter.is_environment(folder)


def _listed(request: Request, folder: Path, named: dict[str, Language]) -> Folder:
    """A folder of which files were named: those and all that are in a language anyway."""
    there = [p.name for p in folder.iterdir() if is_file(p)]
    sources: list[tuple[str, ...]] = []
    for language in request.languages:
        own = {n for n in there if n.endswith(language.suffixes) and n not in named}
        sources.append(tuple(sorted(own | {n for n, its in named.items() if its is language})))
    return Folder(folder, ".", tuple(sources), (), (None,) * len(request.languages))


def _task(
    request: Request, folder: Folder, label: str, named: Container[str] | None = None
) -> Task:
    """The task for a folder; of its files those that were named, if some were."""
    inner = "" if folder.relative == "." else f"{folder.relative}/"
    parts = tuple(_parts(request, folder, named))
    rewritten = {name for part in parts for name in part.sources}
    return Task(
        folder=folder,
        parts=parts,
        copies=tuple(name for name in folder.files() if name not in rewritten),
        mode=request.mode,
        target=request.out.resolve() / folder.relative if request.out else None,
        label=label + inner,
        name_skipped=request.name_skipped,
    )


def _parts(request: Request, folder: Folder, named: Container[str] | None) -> Iterator[Part]:
    # An output tree gets a file of its own for each link.
    left = frozenset[str]() if request.mode is Mode.TREE else folder.links
    of_each = zip(request.languages, folder.sources, folder.reasons, strict=True)
    for language, names, reason in of_each:
        rewriter = language.rewriter(request.verb, folder.path)
        if reason or rewriter.reason:
            yield Part(rewriter, (), ())
            continue
        sources = tuple(n for n in names if n not in left and (named is None or n in named))
        links = tuple(n for n in names if n in left)
        yield Part(rewriter, sources, names if sources and rewriter.neighbours else sources, links)
