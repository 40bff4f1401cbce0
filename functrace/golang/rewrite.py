"""One folder's Go files through the rewriter: bytes in, results out, files written if asked."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from functrace.files.write import write_atomic
from functrace.golang import toolchain
from functrace.golang.request import Mode, Verb
from functrace.golang.tasks import Task
from functrace.report import FileResult
from rewriter.edit import apply
from rewriter.errors import SourceError
from rewriter.golang import Options, package_level_names, plan_inject, plan_strip
from rewriter.plan import Plan
from rewriter.select import Place

Planner = Callable[[bytes, Options], Plan]


_PLANNERS: dict[Verb, Planner] = {Verb.INJECT: plan_inject, Verb.STRIP: plan_strip}


def rewrite(task: Task) -> list[FileResult]:
    """Rewrite the folder's sources; a file that cannot be is left as it was and says why."""
    folder = task.folder
    texts: dict[str, bytes | OSError] = {
        name: _read(folder.path / name) for name in folder.siblings
    }
    declared = {n: package_level_names(t) for n, t in texts.items() if isinstance(t, bytes)}
    results = []
    for name in folder.sources:
        text = texts[name]
        if isinstance(text, OSError):
            results.append(FileResult(task.label + name, error=f" {text.strerror}"))
            continue
        others = names_elsewhere(name, declared)
        place = Place(folder.name_of(name), task.package)
        options = replace(task.options, place=place, package_names=others)
        result, new = rewrite_text(
            task.verb, task.label + name, text, options, name_skipped=task.name_skipped
        )
        try:
            _write(task, name, text, new)
        except OSError as error:
            result = FileResult(result.path, error=f" {error.strerror}")
        results.append(shown(task.mode, result, text, new))
    return results


def names_elsewhere(file: str, declared: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What the other files of a package declare, by what each of them does."""
    return frozenset().union(*(names for other, names in declared.items() if other != file))


def _read(path: Path) -> bytes | OSError:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        return error


def rewrite_text(
    verb: Verb, path: str, text: bytes, options: Options, *, name_skipped: bool = False
) -> tuple[FileResult, bytes]:
    """What becomes of one file, and its new text: the old one where it cannot be rewritten."""
    try:
        plan = _plan(_PLANNERS[verb], text, options)
    except SourceError as error:
        return FileResult(path, error=str(error)), text
    new = apply(text, plan.edits) if plan.edits else text
    return FileResult(
        path,
        changed=new != text,
        functions=len(plan.functions),
        traced=len(plan.traced),
        skipped=dict(Counter(s.reason for s in plan.skipped)),
        names=_names(plan) if name_skipped else (),
        reason=plan.file_reason,
    ), new


def shown(mode: Mode, result: FileResult, old: bytes, new: bytes) -> FileResult:
    """The result with what the mode shows of it."""
    if mode is Mode.TEXT and not result.error:
        return replace(result, output=new)
    if mode is Mode.DIFF and new != old:
        return replace(result, output=_diff(result.path, old, new))
    return result


def _names(plan: Plan) -> tuple[str, ...]:
    return tuple(f"{s.function.line}: {s.function.name}: {s.reason}" for s in plan.skipped)


def _plan(planner: Planner, text: bytes, options: Options) -> Plan:
    """The plan, with a Go toolchain's word where the grammar does not know better."""
    try:
        return planner(text, options)
    except SourceError:
        verdict = toolchain.judge(text)
        if verdict is None:
            raise
        if not verdict.valid:
            raise SourceError(verdict.message, verdict.line, verdict.column) from None
        return planner(text, replace(options, vouched=True))


def _write(task: Task, name: str, old: bytes, new: bytes) -> None:
    source = task.folder.path / name
    if task.mode is Mode.IN_PLACE and new != old:
        # Through a symbolic link, as an editor would.
        path = source.resolve()
        write_atomic(path, new, like=path.stat())
    elif task.mode is Mode.TREE and task.target is not None:
        write_atomic(task.target / name, new, like=source.stat(), durable=False)


def _diff(path: str, old: bytes, new: bytes) -> bytes:
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        os.fsencode(f"a/{path}"),
        os.fsencode(f"b/{path}"),
    )
    whole = (ln if ln.endswith(b"\n") else ln + b"\n\\ No newline at end of file\n" for ln in lines)
    return b"".join(whole)
