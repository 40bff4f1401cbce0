"""Which Python runs the program."""

from __future__ import annotations

import os
import sys

from functrace.errors import FunctraceError

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from collections.abc import Mapping

# What pipx and uv leave in the environments that they make for a tool.
_OF_TOOLS = ("pipx_metadata.json", "uv-receipt.toml")


def choose(asked: str | None, environment: Mapping[str, str]) -> str:
    """The interpreter asked for, or the one in whose environment the user is.

    That is the one that functrace runs in, but if functrace has an environment of its own, or
    none, the virtual environment that is active, or ``python3`` of PATH.

    Raises:
        FunctraceError: there is none.
    """
    if asked:
        return _existing(asked, environment)
    is_tools = any(os.path.exists(os.path.join(sys.prefix, name)) for name in _OF_TOOLS)
    is_virtual = sys.prefix != sys.base_prefix
    if is_virtual and not is_tools:
        return sys.executable
    active = environment.get("VIRTUAL_ENV")
    if active:
        return _existing(os.path.join(active, "bin", "python"), environment)
    return _existing("python3", environment) if is_tools else sys.executable


def passed_over(chosen: str, environment: Mapping[str, str]) -> str:
    """The virtual environment that is active, if ``chosen`` is not of it; else an empty text."""
    active = environment.get("VIRTUAL_ENV", "")
    there = os.path.dirname(os.path.dirname(chosen))  # a link's own place: it leads to the base
    return "" if os.path.realpath(there) == os.path.realpath(active) else active


def _existing(name: str, environment: Mapping[str, str]) -> str:
    # Not shutil.which: shutil takes longer to load than all that is done before the program starts.
    folders = [""] if os.sep in name else environment.get("PATH", os.defpath).split(os.pathsep)
    for folder in folders:
        file = os.path.abspath(os.path.join(folder, name))
        if os.path.isfile(file) and os.access(file, os.X_OK):
            return file
    raise FunctraceError(f"{name}: no such Python; --python names one")
