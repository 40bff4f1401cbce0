"""Process metadata stored in a trace (its facts chunk)."""

from __future__ import annotations

import sys
from _json import encode_basestring_ascii as _quoted  # json takes milliseconds to load

from functrace.runtime import BUILTINS, MODULES
from functrace.runtime.raw_attributes import exact_str, get_attribute, get_dict
from functrace.runtime.resource_attributes import service_facts
from functrace.runtime.system import os

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

globals()["__builtins__"] = BUILTINS

_MAX_ARGUMENTS_BYTES = 12 << 10  # bytes
_MAX_TEXT = 4 << 10
_MAX_OPTIONS_BYTES = 8 << 10


def process_facts(
    tool: str,
    clock: str,
    environment: Mapping[str, str],
    *,
    process_key: str,
    budget: float,
    fallback_warning: str,
) -> bytes:
    """Return the metadata as JSON of at most 30,000 bytes.

    Args:
        tool: the version of functrace.
        clock: the name of the trace's clock.
        environment: the environment; FUNCTRACE variables are included.
        process_key: 16 hexadecimal digits that identify the process.
        budget: the share of the CPU time that recording may take; 0 for no limit.
        fallback_warning: why the recorder in Python is used; empty for the one in C.
    """
    facts: dict[str, Any] = {
        "argv": _cut_all(_arguments(), _MAX_ARGUMENTS_BYTES),
        "host": os.uname().nodename,
        "executable": _cut(exact_str(sys.executable)),
        "tool": f"functrace {tool}",
        "runtime": f"{_interpreter()} {exact_str(sys.platform)}",
        "clock": clock,
        "ppid": os.getppid(),
        **_identity(),
        "process_key": process_key,
        "build": _build(),
        "options": _options(environment),
    }
    facts.update({name: _cut(text) for name, text in service_facts(environment).items() if text})
    if budget:
        facts["budget_ppm"] = round(budget * 1_000_000)
    if fallback_warning:
        facts["fallback"] = _cut(fallback_warning)
    return _as_json(facts).encode("ascii")


def new_process_key() -> str:
    """Return a random key, 16 hexadecimal digits that are not all zero."""
    while not any(key := os.urandom(8)):
        pass
    return key.hex()


def stat_fields(pid: str) -> list[bytes]:
    """Return the fields of /proc/PID/stat after the parenthesized name; empty if there are none."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return os.read(file, 4096).rpartition(b")")[2].split()
    except OSError:  # the process has just ended
        return []
    finally:
        os.close(file)


def _identity() -> dict[str, Any]:
    """Return what distinguishes this process from others with the same id (Linux)."""
    try:
        start = int(stat_fields("self")[19])
        return {"pid_namespace": os.readlink("/proc/self/ns/pid"), "start_ticks": start}
    except (OSError, ValueError, IndexError):
        return {}


def program_name() -> str:
    """Return the name of the program's main module or file, without folder and extension."""
    main = _build()["main"].removesuffix("__main__").rstrip(".")
    if not main:  # a folder or an archive
        main = os.path.dirname(exact_str(get_dict(MODULES.get("__main__")).get("__file__")))
    return os.path.basename(main).removesuffix(".py") or _interpreter().partition(" ")[0]


def _as_json(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(k)}:{_as_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_as_json, value)) + "]"
    return str(value) if isinstance(value, int) else _quoted(value)


def _interpreter() -> str:
    """Return the interpreter's name and version without the module platform, which loads slowly."""
    name = exact_str(get_attribute(sys.implementation, "name")).replace("cpython", "CPython")
    return f"{name} {exact_str(sys.version).partition(' ')[0]}"


def _build() -> dict[str, str]:
    """Return the name of the main module, and its package's version if available."""
    main = get_dict(MODULES.get("__main__"))
    spec = main.get("__spec__")
    name = _cut(exact_str(get_attribute(spec, "name")) or exact_str(main.get("__file__")))
    package = get_dict(MODULES.get(name.partition(".")[0]) if spec is not None else None)
    return {"main": name, "version": _cut(exact_str(package.get("__version__")))}


def _arguments() -> list[str]:
    arguments: Any = sys.orig_argv
    return [exact_str(argument) for argument in arguments] if type(arguments) is list else []


def _options(environment: Mapping[str, str]) -> dict[str, str]:
    names = [name for name in environment if name.startswith("FUNCTRACE")]
    values = _cut_all([environment[name] for name in names], _MAX_OPTIONS_BYTES)
    return {_cut(name): value for name, value in zip(names, values)}  # noqa: B905  entries that fit


def _cut_all(texts: list[str], most: int) -> list[str]:
    kept = []
    for one in map(_cut, texts):
        most -= len(one) + 3
        if most < 0:
            break
        kept.append(one)
    return kept


def _cut(text: str) -> str:
    return text[:_MAX_TEXT]
