"""Bootstrap code of a traced program, executed in a separate namespace.

It locates functrace by its own path, not by ``sys.path``: functrace may be installed in another
environment than the program, and the program may have its own package called ``functrace``.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def begin(namespace: dict[str, Any], *arguments: Any) -> Callable[[], object] | None:
    """Set up the running module as the program's main module; see pyimport.program."""
    _load()
    from functrace.pyimport import program

    return program.begin(namespace, *arguments)


def hook() -> None:
    """Install the import hook before the main module of a process that Python itself starts."""
    _load()
    from functrace.pyimport import child

    child.begin()


def switch(*arguments: Any, **options: Any) -> str:
    """Start or stop tracing in this program; see pyimport.attached."""
    loaded = sys.modules.get("functrace")
    if loaded is not None and "RUNTIME" not in vars(loaded):
        return "the program has another package named functrace"
    if loaded is None:
        _load()
    from functrace.pyimport import attached

    return attached.switch(*arguments, **options)


def _load() -> None:
    from _frozen_importlib import module_from_spec
    from _frozen_importlib_external import spec_from_file_location

    folder = os.path.dirname(os.path.dirname(begin.__code__.co_filename))
    file = os.path.join(folder, "__init__.py")
    loaded = sys.modules.get("functrace")
    if loaded is not None and getattr(loaded, "__file__", None) == file:
        return
    spec: Any = spec_from_file_location("functrace", file, submodule_search_locations=[folder])
    module = sys.modules["functrace"] = module_from_spec(spec)
    spec.loader.exec_module(module)
