"""What a trace says of the process it is of."""

from __future__ import annotations

import sys
from _json import encode_basestring_ascii as _quoted  # json itself takes milliseconds to load

from functrace.runtime import BUILTINS, MODULES
from functrace.runtime.stored import attribute, text, values
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
        "argv": _cut_all(_arguments(), _MOST_ARGUMENTS),
        "host": os.uname().nodename,
        "executable": _cut(text(sys.executable)),
        "tool": f"functrace {tool}",
        "runtime": f"{_interpreter()} {text(sys.platform)}",
        "clock": clock,
        "ppid": os.getppid(),
        **_identity(),
        "build": _build(),
        "options": _options(environment),
    }
    return _as_json(facts).encode("ascii")


def _identity() -> dict[str, Any]:
    """What tells this process from another with its id, later or elsewhere (Linux)."""
    try:
        file = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fields = os.read(file, 4096).rpartition(b")")[2].split()
        finally:
            os.close(file)
        return {"pid_namespace": os.readlink("/proc/self/ns/pid"), "start_ticks": int(fields[19])}
    except (OSError, ValueError, IndexError):
        return {}


def _as_json(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(k)}:{_as_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_as_json, value)) + "]"
    return str(value) if isinstance(value, int) else _quoted(value)


def _interpreter() -> str:
    """As the module platform has it, which takes milliseconds to load."""
    name = text(attribute(sys.implementation, "name")).replace("cpython", "CPython")
    return f"{name} {text(sys.version).partition(' ')[0]}"


def _build() -> dict[str, str]:
    """The main module, and the version of its package if that is loaded and says so."""
    main = values(MODULES.get("__main__"))
    spec = main.get("__spec__")
    name = _cut(text(attribute(spec, "name")) or text(main.get("__file__")))
    package = values(MODULES.get(name.partition(".")[0]) if spec is not None else None)
    return {"main": name, "version": _cut(text(package.get("__version__")))}


def _arguments() -> list[str]:
    arguments: Any = sys.orig_argv
    return [text(argument) for argument in arguments] if type(arguments) is list else []


def _options(environment: Mapping[str, str]) -> dict[str, str]:
    names = [name for name in environment if name.startswith("FUNCTRACE")]
    values = _cut_all([environment[name] for name in names], _MOST_OPTIONS)
    return {_cut(name): value for name, value in zip(names, values)}  # noqa: B905  those that fit


def _cut_all(texts: list[str], most: int) -> list[str]:
    kept = []
    for one in map(_cut, texts):
        most -= len(one) + 3
        if most < 0:
            break
        kept.append(one)
    return kept


def _cut(text: str) -> str:
    return text[:_MOST_TEXT]
