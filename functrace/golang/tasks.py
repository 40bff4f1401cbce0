"""From the paths a user typed to the folders to work on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from functrace.errors import UsageError
from functrace.files.walk import Folder, walk
from functrace.golang import runtime
from functrace.golang.cycles import needed_by_runtime
from functrace.golang.module import Module, declared_in, module_of
from functrace.golang.request import Mode, Request, Verb
from rewriter.golang import Options


@dataclass(frozen=True)
class Task:
    """One folder's work.

    Attributes:
        folder: the sources.
        package: its import path, ``""`` if it has none.
        options: for the rewriter, all but the file's place and its neighbours' names.
        verb, mode: what to do, and with what result.
        target: the folder to write to in an output tree.
        label: what to put before a file's name to get the path the user knows.
        name_skipped: give the name of each function left alone.
    """

    folder: Folder
    package: str
    options: Options
    verb: Verb
    mode: Mode
    target: Path | None = None
    label: str = ""
    name_skipped: bool = False


def tasks(request: Request) -> Iterator[Task]:
    """Yield a task for every folder that the request's paths lead to.

    Raises:
        UsageError: a path is not there, or is not Go.
        FunctraceError: a folder cannot be read.
    """
    files: dict[Path, list[Path]] = {}
    for typed in request.paths:
        path = _path(typed)
        if path.is_dir():
            yield from (_task(request, f, _label(path)) for f in _below(request, path.resolve()))
        elif path.suffix == ".go" and path.is_file():
            files.setdefault(path.parent, []).append(path)
        else:
            raise UsageError(f"{typed}: {'not a Go file' if path.exists() else 'no such file'}")
    for parent, named in files.items():
        folder = _listed(parent.resolve(), dict.fromkeys(p.name for p in named))
        yield _task(request, folder, _label(parent))


def _path(typed: str) -> Path:
    """``x/...`` is x and all below it, as for the go command; so is plain x."""
    return Path(typed.removesuffix("/...") or "/") if typed.endswith("/...") else Path(typed)


def _label(path: Path) -> str:
    return "" if path == Path() else f"{path.as_posix().rstrip('/')}/"


def _below(request: Request, root: Path) -> Iterator[Folder]:
    return walk(
        root,
        suffix=".go",
        reason_of=partial(_reason, request.everything),
        into_left=request.everything or request.mode is Mode.TREE,
        avoid=request.out.resolve() if request.out else None,
    )


def _reason(everything: bool, folder: Path) -> str | None:
    """Why a folder is left alone, with all below it."""
    if runtime.version_in(folder):
        return "the functrace runtime"
    if everything:
        return None
    if folder.name in ("testdata", "vendor"):
        return folder.name
    if folder.name.startswith(("_", ".")):
        return "name starts with _ or ."
    if declared_in(folder) and module_of(folder.parent):
        return "nested module"
    return None


def _listed(folder: Path, names: Iterable[str]) -> Folder:
    siblings = (p.name for p in folder.iterdir() if p.suffix == ".go" and p.is_file())
    return Folder(folder, ".", tuple(names), tuple(sorted(siblings)), ())


def _task(request: Request, folder: Folder, label: str) -> Task:
    module = module_of(folder.path)
    package = module.package(folder.path) if module else ""
    path = request.runtime_import or imported(module)
    if package and package == path and request.verb is Verb.INJECT:
        folder = replace(folder, sources=(), reason="the functrace runtime")
    inner = "" if folder.relative == "." else f"{folder.relative}/"
    return Task(
        folder=folder,
        package=package,
        options=replace(request.options, runtime_import=path, reason=_cycle(module, package, path)),
        verb=request.verb,
        mode=request.mode,
        target=request.out.resolve() / folder.relative if request.out else None,
        label=label + inner,
        name_skipped=request.name_skipped,
    )


def _cycle(module: Module | None, package: str, path: str) -> str | None:
    """Why the package cannot import the runtime, if so."""
    if module and package in needed_by_runtime(module, path):
        return "needed by the functrace runtime"
    return None


def imported(module: Module | None) -> str:
    """The import path of the runtime for a module's files: the one it has, or would be given."""
    if module is None:
        return runtime.OWN_PATH
    return runtime.import_path(module) or runtime.own_import_path(module)
