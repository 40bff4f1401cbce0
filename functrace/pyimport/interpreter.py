"""Selection of the Python interpreter that runs the program, and the environment it ignores."""

from __future__ import annotations

import os
import sys

from functrace.errors import FunctraceError

TYPE_CHECKING = False  # importing typing would slow the start
if TYPE_CHECKING:
    from collections.abc import Mapping

# Files that pipx and uv create in the environment of a tool.
_TOOL_MARKERS = ("pipx_metadata.json", "uv-receipt.toml")


def choose(requested: str | None, environment: Mapping[str, str]) -> str:
    """Return the requested interpreter, or the one of the user's environment.

    That is the one that runs functrace. If functrace is installed as a tool or outside any virtual
    environment, it is the active virtual environment's, or else ``python3`` on PATH for a tool.

    Raises:
        FunctraceError: no interpreter was found.
    """
    if requested:
        return _find(requested, environment)
    is_tool = any(os.path.exists(os.path.join(sys.prefix, name)) for name in _TOOL_MARKERS)
    is_virtual = sys.prefix != sys.base_prefix
    if is_virtual and not is_tool:
        return sys.executable
    active = environment.get("VIRTUAL_ENV")
    if active:
        return _find(os.path.join(active, "bin", "python"), environment)
    return _find("python3", environment) if is_tool else sys.executable


def find_ignored_environment(chosen: str, environment: Mapping[str, str]) -> str:
    """Return the active virtual environment if ``chosen`` is not in it, else an empty string."""
    active = environment.get("VIRTUAL_ENV", "")
    # Links are not resolved: an environment's python links to the base interpreter.
    prefix = os.path.dirname(os.path.dirname(chosen))
    return "" if os.path.realpath(prefix) == os.path.realpath(active) else active


def _find(name: str, environment: Mapping[str, str]) -> str:
    # Not shutil.which: importing shutil takes longer than all other work before the program starts.
    folders = [""] if os.sep in name else environment.get("PATH", os.defpath).split(os.pathsep)
    for folder in folders:
        file = os.path.abspath(os.path.join(folder, name))
        if os.path.isfile(file) and os.access(file, os.X_OK):
            return file
    raise FunctraceError(f"{name}: no such Python; choose one with --python")
