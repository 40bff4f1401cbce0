"""The first thing that a traced program runs, in a namespace of its own.

It finds functrace by its own place and not by ``sys.path``: functrace may be installed in another
environment than the program, and a program may have a ``functrace`` of its own.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing is nothing that every program loads
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def begin(namespace: dict[str, Any], *arguments: Any) -> Callable[[], object] | None:
    """Turn the module that is run into the program's main module; see pyimport.program."""
    _load()
    from functrace.pyimport import program

    return program.begin(namespace, *arguments)


def hook() -> None:
    """Begin in a process that Python starts by itself, before its main module is run."""
    _load()
    from functrace.pyimport import child

    child.begin()


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
