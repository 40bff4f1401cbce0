"""Rewriting of the source files in one directory."""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from functrace.results import FileResult
from functrace.sources.folder_tasks import Part, Task
from functrace.sources.run_request import Mode
from functrace.sources.write import write_atomic
from rewriter.edit import apply
from rewriter.errors import SourceError
from rewriter.plan import Plan

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_QUOTED = re.compile(r'[\x00-\x1f\x7f"\\]')


def rewrite(task: Task) -> list[FileResult]:
    """Rewrite the sources of a task; a file with an error is left unchanged."""
    return [result for part in task.parts if part.sources for result in _rewrite(task, part)]


def _rewrite(task: Task, part: Part) -> Iterator[FileResult]:
    texts = {name: _read(task.folder.path / name) for name in part.siblings}
    readable = {name: text for name, text in texts.items() if isinstance(text, bytes)}
    plan = part.rewriter.create_planner(task.folder, readable)
    for name in part.sources:
        text = texts[name]
        if isinstance(text, OSError):
            yield FileResult(task.label + name, error=f" {text.strerror}")
            continue
        result, new = rewrite_text(
            task.label + name, text, partial(plan, name), name_skipped=task.name_skipped
        )
        try:
            _write(task, name, text, new)
        except OSError as error:
            result = FileResult(result.path, error=f" {error.strerror}")
        yield add_output(task.mode, result, text, new)


def _read(path: Path) -> bytes | OSError:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        return error


def rewrite_text(
    path: str, text: bytes, plan: Callable[[bytes], Plan], *, name_skipped: bool = False
) -> tuple[FileResult, bytes]:
    """Return the result for a file and its new text, unchanged if it has a syntax error."""
    try:
        edit_plan = plan(text)
    except SourceError as error:
        return FileResult(path, error=str(error)), text
    new = apply(text, edit_plan.edits) if edit_plan.edits else text
    return FileResult(
        path,
        changed=new != text,
        functions=len(edit_plan.functions),
        traced=len(edit_plan.traced),
        skipped=dict(Counter(s.reason for s in edit_plan.skipped)),
        names=_list_skipped(edit_plan) if name_skipped else (),
        matched=tuple(sorted(edit_plan.matched_globs)),
        reason=edit_plan.file_skip_reason,
    ), new


def add_output(mode: Mode, result: FileResult, old: bytes, new: bytes) -> FileResult:
    """Return the result with the output that the mode prints: the new text or a diff."""
    if mode is Mode.TEXT and not result.error:
        return replace(result, output=new)
    if mode is Mode.DIFF and new != old:
        return replace(result, output=_diff(result.path, old, new))
    return result


def _list_skipped(plan: Plan) -> tuple[str, ...]:
    return tuple(f"{s.function.line}: {s.function.name}: {s.reason}" for s in plan.skipped)


def _write(task: Task, name: str, old: bytes, new: bytes) -> None:
    source = task.folder.path / name
    if task.mode is Mode.IN_PLACE and new != old:
        # Write through a symbolic link, as an editor would.
        path = source.resolve()
        write_atomic(path, new, like=path.stat())
    elif task.mode is Mode.TREE and task.target is not None:
        write_atomic(task.target / name, new, like=source.stat(), durable=False)


def _diff(path: str, old: bytes, new: bytes) -> bytes:
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        _label(f"a/{path}"),
        _label(f"b/{path}"),
    )
    whole = (ln if ln.endswith(b"\n") else ln + b"\n\\ No newline at end of file\n" for ln in lines)
    return b"".join(whole)


def _label(path: str) -> bytes:
    """Return a path for a diff header, quoted as git does if it contains control characters."""
    if not _CONTROL.search(path):
        return os.fsencode(path)
    quoted = _QUOTED.sub(lambda match: f"\\{ord(match[0]):03o}", path)
    return os.fsencode(f'"{quoted}"')
