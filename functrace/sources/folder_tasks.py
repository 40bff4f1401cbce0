"""Tasks for the directories that the paths on the command line lead to."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from functrace.errors import FunctraceError, UsageError
from functrace.results import FileResult
from functrace.sources import folder_filter
from functrace.sources.run_request import Language, Mode, Request, Rewriter
from functrace.sources.walk import Folder, Kind, is_file, walk


@dataclass(frozen=True)
class Part:
    """The files of one language in a directory.

    Attributes:
        rewriter: the rewriter for these files.
        sources: names of the files to rewrite.
        siblings: names of the files that the rewriter must read.
        links: names of symbolic links; their targets are rewritten only where they are.
    """

    rewriter: Rewriter
    sources: tuple[str, ...]
    siblings: tuple[str, ...]
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """The work in one directory.

    Attributes:
        folder: the directory and its files.
        parts: its files by language, in the order of the request's languages.
        copies: names of the files that are copied unchanged into an output tree.
        mode: what to do with the result.
        target: the directory to write to in an output tree.
        label: prefix that turns a file name into the path as the user typed it.
        name_skipped: report the name of each skipped function.
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
        """Names of all files to rewrite."""
        return tuple(name for part in self.parts for name in part.sources)

    def skip_reasons(self) -> set[str]:
        """Return why the directory is skipped, in every language or in one that it has files of."""
        parts = zip(self.parts, self.folder.skip_reasons, strict=True)
        reasons = [reason or part.rewriter.skip_reason for part, reason in parts]
        is_skipped_entirely = None not in reasons
        sources = zip(reasons, self.folder.sources, strict=True)
        return {reason for reason, names in sources if reason and (names or is_skipped_entirely)}

    def has_instrumented(self, part: Part, results: Sequence[FileResult]) -> bool:
        """Return whether ``results`` contain an instrumented function in a file of ``part``."""
        instrumented = {os.path.basename(r.path) for r in results if r.functions}
        return not instrumented.isdisjoint(part.sources)


def find_tasks(request: Request, unreadable: Callable[[str, str], None]) -> Iterator[Task]:
    """Yield a task for every directory that the request's paths lead to.

    Call ``unreadable`` with each directory below them that cannot be read and the reason.

    Raises:
        UsageError: a path does not exist or belongs to none of the languages.
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
            not_source = f"not a {request.language_names()} file"
            raise UsageError(
                f"{typed}: {not_source if path.exists() else 'no such file or directory'}"
            )
    for parent, named in files.items():
        folder = _listed(request, parent.resolve(), named)
        yield _task(request, folder, _label(parent), named)


def find_skipped_links(found: Sequence[Task]) -> Iterator[FileResult]:
    """Yield a result for each symbolic link whose target is not rewritten by this run.

    A target outside of the given paths may be shared with other projects.
    """
    done = {task.folder.path / name for task in found for name in task.sources}
    for task in found:
        for name in (name for part in task.parts for name in part.links):
            if (task.folder.path / name).resolve() not in done:
                yield FileResult(task.label + name, reason="symbolic link")


def find_broken_links(found: Sequence[Task]) -> Iterator[FileResult]:
    """Yield a result for each symbolic link that cannot be resolved."""
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
    """Return the directory for ``x/...``, the go command's notation for x and all below it."""
    return Path(typed.removesuffix("/...") or "/") if typed.endswith("/...") else Path(typed)


def _label(path: Path) -> str:
    return "" if path == Path() else f"{path.as_posix().rstrip('/')}/"


def _language(request: Request, path: Path) -> Language:
    for language in request.languages:
        if language.is_source(path):
            return language
    raise UsageError(f"{path}: not a {request.language_names()} file")


def _below(
    request: Request, root: Path, report: Callable[[str, OSError], None]
) -> Iterator[Folder]:
    kinds = [Kind(lang.suffixes, partial(_reason, request, lang)) for lang in request.languages]
    out = request.out.resolve() if request.out else None
    should_walk_skipped = partial(_should_walk_skipped, request)
    return walk(root, kinds, should_walk_skipped=should_walk_skipped, avoid=out, report=report)


def _reason(request: Request, language: Language, folder: Path) -> str | None:
    common = None if request.everything else folder_filter.skip_reason(folder)
    return common or language.skip_reason(folder, everything=request.everything)


def _should_walk_skipped(request: Request, folder: Path) -> bool:
    """Return whether an output tree needs the files of a directory that is skipped."""
    if request.everything:
        return True
    # The files of a virtual environment contain its path, so a copy would not work.
    return request.mode is Mode.TREE and not folder_filter.is_environment(folder)


def _listed(request: Request, folder: Path, named: dict[str, Language]) -> Folder:
    """Return a directory with its source files, including the files that the user named."""
    names = [p.name for p in folder.iterdir() if is_file(p)]
    sources: list[tuple[str, ...]] = []
    for language in request.languages:
        own = {n for n in names if n.endswith(language.suffixes) and n not in named}
        sources.append(tuple(sorted(own | {n for n, lang in named.items() if lang is language})))
    return Folder(folder, ".", tuple(sources), (), (None,) * len(request.languages))


def _task(
    request: Request, folder: Folder, label: str, named: Container[str] | None = None
) -> Task:
    """Return the task for a directory, limited to the files in ``named`` if given."""
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
    # An output tree gets a separate file for each link.
    skipped_links = frozenset[str]() if request.mode is Mode.TREE else folder.links
    files = zip(request.languages, folder.sources, folder.skip_reasons, strict=True)
    for language, names, reason in files:
        rewriter = language.create_rewriter(request.verb, folder.path)
        if reason or rewriter.skip_reason:
            yield Part(rewriter, (), ())
            continue
        links = tuple(n for n in names if n in skipped_links)
        sources = tuple(n for n in names if n not in links and (named is None or n in named))
        siblings = names if sources and rewriter.needs_neighbours else sources
        yield Part(rewriter, sources, siblings, links)
