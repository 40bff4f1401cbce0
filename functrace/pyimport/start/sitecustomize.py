"""Start-up module of child processes, found through PYTHONPATH by ``functrace run --children``."""

from __future__ import annotations

import os
import sys
from _frozen_importlib_external import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _begin() -> None:
    folder = os.path.dirname(__file__)
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    if os.environ.get("FUNCTRACE_HOOK"):
        file = os.path.join(os.path.dirname(folder), "boot.py")
        boot = SourceFileLoader("functrace.pyimport.boot", file).get_code("functrace.pyimport.boot")
        namespace: dict[str, Any] = {}
        if boot is not None:
            exec(boot, namespace)
            namespace["hook"]()


def _import_shadowed() -> None:
    """Import the sitecustomize module that this one shadows, and replace this one by it."""
    ours = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found] # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", ours)


_begin()
_import_shadowed()
