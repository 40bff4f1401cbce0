"""One Go file from standard input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from functrace.golang.module import module_of
from functrace.golang.request import Request
from functrace.golang.rewrite import rewrite_text, shown
from functrace.golang.tasks import imported
from functrace.report import FileResult, Summary

NAME = "<standard input>"


def run(request: Request, text: bytes, sink: Callable[[FileResult], None]) -> Summary:
    """Rewrite ``text`` as a file of the current folder's module."""
    path = request.runtime_import or imported(module_of(Path.cwd()))
    options = replace(request.options, runtime_import=path)
    result, new = rewrite_text(request.verb, NAME, text, options, name_skipped=request.name_skipped)
    sink(shown(request.mode, result, text, new))
    summary = Summary()
    summary.add([result])
    return summary
