"""Lookup of the functrace runtime in the modules that a go.mod requires."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.sources.go import runtime_copy, toolchain
from functrace.sources.go.module import Module

_REQUIREMENT = re.compile(
    r"^\s*(?:require\s+)?(\S+/functrace(?:/v\d+)?)\s+v\S+[ \t]*(?://.*)?$", re.MULTILINE
)
# The tool that functrace continues. Its package has the function that the sources call.
_PREDECESSOR = "github.com/bigwhite/functrace"
_OFFLINE = {"GOPROXY": "off", "GOTOOLCHAIN": "local"}


@cache
def find_required_runtime(module: Module) -> str | None:
    """Return the import path of the functrace runtime that go.mod requires, or None.

    A required module of that name counts only if it is the runtime or the predecessor. If it is
    not on this machine, that is unknown, and it does not count.
    """
    try:
        text = (module.root / "go.mod").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    paths = dict.fromkeys(_REQUIREMENT.findall(text))
    return next((path for path in paths if _is_runtime(module, path)), None)


def _is_runtime(module: Module, path: str) -> bool:
    if path == _PREDECESSOR:
        return True
    found = toolchain.find()
    if found is None:
        return False
    command = ["list", "-e", "-find", "-f", "{{.Dir}}", "--", path]
    try:
        folder = toolchain.run_go(found.go, command, module.root, {**os.environ, **_OFFLINE})
    except (FunctraceError, OSError):
        return False
    return bool(folder.strip()) and runtime_copy.read_version(Path(folder.rstrip("\n"))) is not None
