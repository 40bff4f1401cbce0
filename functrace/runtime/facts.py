"""What a trace says of the process it is of."""

from __future__ import annotations

import sys
from _json import encode_basestring_ascii as _quoted  # json itself takes milliseconds to load

from functrace.runtime import BUILTINS
from functrace.runtime.system import os

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

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
    facts: dict[str, Any] = {
        "argv": _cut_all(sys.orig_argv, _MOST_ARGUMENTS),
        "host": os.uname().nodename,
        "executable": _cut(sys.executable or ""),
        "tool": f"functrace {tool}",
        "runtime": f"{_interpreter()} {sys.platform}",
        "clock": clock,
        "ppid": os.getppid(),
        "build": _build(),
        "options": _options(environment),
    }
    return _as_json(facts).encode("ascii")


def _as_json(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(k)}:{_as_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_as_json, value)) + "]"
    return str(value) if isinstance(value, int) else _quoted(value)


def _interpreter() -> str:
    """As the module platform has it, which takes milliseconds to load."""
    name = sys.implementation.name.replace("cpython", "CPython")
    return f"{name} {sys.version.split()[0]}"


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
