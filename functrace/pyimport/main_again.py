"""Instrumentation of the main module that multiprocessing's spawned processes run again."""

from __future__ import annotations

from _frozen_importlib_external import SourceFileLoader
from _functools import partial  # type: ignore[import-not-found]

from functrace.pyimport import loader

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def adapt(namespace: dict[str, Any]) -> None:
    """Make ``runpy.run_path``, as multiprocessing.spawn uses it, get its code from the hook."""
    runpy = namespace["runpy"]
    runpy._get_code_from_file = partial(_code, runpy._get_code_from_file)


def _code(read: Callable[..., Any], *arguments: Any) -> Any:
    # From Python 3.13: (file) -> code; before: (name, file) -> (code, file).
    file = arguments[-1]
    source_loader = SourceFileLoader("__mp_main__", file)
    is_source = isinstance(file, str) and file.endswith(".py")
    code = loader.hook.code(source_loader, "__mp_main__", file) if is_source else None
    if code is None:
        return read(*arguments)
    return code if len(arguments) == 1 else (code, file)
