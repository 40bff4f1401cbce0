"""Rewriting of one source from standard input."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from functrace.errors import UsageError
from functrace.results import FileResult, Summary
from functrace.sources.rewriting import add_output, rewrite_text
from functrace.sources.run_request import Language, Request
from functrace.sources.walk import Folder

NAME = "<standard input>"


def run(
    request: Request, text: bytes, name: str | None, sink: Callable[[FileResult], None]
) -> Summary:
    """Rewrite ``text`` as the file ``name``, or as a file of the current directory without one.

    Raises:
        UsageError: no language of the request matches the name or the text.
    """
    language = _language(request, text, name)
    path = Path(name or ".").resolve()
    folder = path.parent if name else path
    current = Path.cwd()
    relative = folder.relative_to(current).as_posix() if folder.is_relative_to(current) else "."
    # Filters match a source without a name like one without a path.
    file = path.name if name else ""
    rewriter = language.create_rewriter(request.verb, folder)
    place = Folder(folder, relative, ((file,),), (), (None,))
    plan = rewriter.create_planner(place, {})
    result, new = rewrite_text(
        name or NAME, text, partial(plan, file), name_skipped=request.name_skipped
    )
    sink(add_output(request.mode, result, text, new))
    summary = Summary()
    summary.add([result])
    return summary


def _language(request: Request, text: bytes, name: str | None) -> Language:
    if name is None and len(request.languages) == 1:
        return request.languages[0]
    for language in request.languages:
        if Path(name).suffix in language.suffixes if name else language.matches_text(text):
            return language
    raise UsageError(f"{name or NAME}: not a {request.language_names()} file")
