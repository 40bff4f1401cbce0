"""What a trace says of the process it is of."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

from functrace.runtime import BUILTINS

globals()["__builtins__"] = BUILTINS

_MOST_ARGUMENTS = 12 << 10  # bytes
_MOST_TEXT = 4 << 10
_MOST_OPTIONS = 8 << 10


def process_facts(tool: str, clock: str, environment: Mapping[str, str]) -> bytes:
    """The facts, as JSON of at most 30,000 bytes.

    Args:
        tool: the version of functrace.
        clock: that of the trace, in words.
        environment: whose FUNCTRACE variables are told.
    """
    import json  # takes milliseconds, and only a recording wants it

    facts: dict[str, Any] = {
        "argv": _cut_all(sys.orig_argv, _MOST_ARGUMENTS),
        "host": os.uname().nodename,
        "executable": _cut(sys.executable or ""),
        "tool": f"functrace {tool}",
        "runtime": f"{platform.python_implementation()} {platform.python_version()} {sys.platform}",
        "clock": clock,
        "ppid": os.getppid(),
        "build": _build(),
        "options": _options(environment),
    }
    return json.dumps(facts, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _build() -> dict[str, str]:
    """The main module, and the version of its package if that is loaded and says so."""
    main: Any = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    name = getattr(spec, "name", "") or _cut(str(getattr(main, "__file__", None) or ""))
    package: Any = sys.modules.get(name.partition(".")[0])
    version = getattr(package, "__version__", "") if spec is not None else ""
    return {"main": _cut(name), "version": version if type(version) is str else ""}


def _options(environment: Mapping[str, str]) -> dict[str, str]:
    names = [name for name in environment if name.startswith("FUNCTRACE")]
    values = _cut_all([environment[name] for name in names], _MOST_OPTIONS)
    return {_cut(name): value for name, value in zip(names, values)}  # noqa: B905  those that fit


def _cut_all(texts: list[str], most: int) -> list[str]:
    kept = []
    for text in texts:
        most -= len(_cut(text)) + 3
        if most < 0:
            break
        kept.append(_cut(text))
    return kept


def _cut(text: str) -> str:
    return text[:_MOST_TEXT]
