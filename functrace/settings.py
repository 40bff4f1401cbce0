"""Default values of options, from FUNCTRACE_* variables and a settings file.

Variables take precedence over the file, which is functrace.toml, or [tool.functrace] in
pyproject.toml, in the current folder or the nearest one above it that has either.
"""

from __future__ import annotations

import os
import sys

from functrace import messages
from functrace.errors import UsageError

TYPE_CHECKING = False  # functrace run starts sooner without typing
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

_KINDS: dict[str, type] = {
    "include": list,
    "exclude": list,
    "include-path": list,
    "exclude-path": list,
    "min-lines": int,
    "exported-only": bool,
    "skip-generated": bool,
    "closures": bool,
    "lambdas": bool,
    "compiled": list,
    "all": bool,
    "language": str,
    "layout": str,
    "runtime-import": str,
}
_VARIABLES = {name: "FUNCTRACE_" + name.upper().replace("-", "_") for name in _KINDS}
_FILES: dict[str, tuple[str, ...]] = {"functrace.toml": (), "pyproject.toml": ("tool", "functrace")}
_BOOLEANS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def load(folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings for ``folder``, by option name with underscores.

    Raises:
        UsageError: a setting is unknown or has a value of the wrong type.
    """
    settings = {**_from_file(folder), **_from_environment(environment)}
    return {name.replace("-", "_"): value for name, value in settings.items()}


def may_exist(folder: str, environment: Mapping[str, str]) -> bool:
    """Return quickly whether there may be settings for ``folder``."""
    return any(map(environment.__contains__, _VARIABLES.values())) or any(_mentions(folder))


def _mentions(folder: str) -> Iterator[bool]:
    """Yield, for each possible settings file, whether it may contain settings."""
    above = ""
    while above != folder:
        for name, keys in _FILES.items():
            content = _content(os.path.join(folder, name))
            yield b"functrace" in content if keys else bool(content)
        above, folder = folder, os.path.dirname(folder)


def _content(file: str) -> bytes:
    """Return the content of a file; empty if it cannot be read."""
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError:
        return b""


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, variable in _VARIABLES.items():
        if variable in environment:
            found[name] = _parsed(variable, name, environment[variable])
    return found


def _parsed(variable: str, name: str, text: str) -> Any:
    kind = _KINDS[name]
    try:
        if kind is list:
            return [part.strip() for part in text.split(",") if part.strip()]
        return _BOOLEANS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise UsageError(f"{variable}={text}: invalid value for --{name}") from None


def _from_file(folder: Path) -> dict[str, Any]:
    for above in (folder, *folder.parents):
        for name, keys in _FILES.items():
            path = above / name
            table = _table(path, keys)
            if table is not None and _is_foreign(path):
                messages.write_message(f"{path}: ignored, since it belongs to another user")
            elif table is not None:
                return _checked(path, table)
    return {}


def _is_foreign(path: Path) -> bool:
    """Return whether another user owns the file but not its folder, as in /tmp."""
    owner = path.stat().st_uid
    return owner not in (0, os.geteuid(), path.parent.stat().st_uid)


def _table(path: Path, keys: tuple[str, ...]) -> dict[str, Any] | None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return None
    except ValueError as error:
        if keys or _is_foreign(path):
            return None  # not functrace's file, so not its error to report
        raise UsageError(f"{path}: {error}") from None
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else None


def _checked(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    for name, value in table.items():
        kind = _KINDS.get(name)
        if kind is None:
            raise UsageError(f"{path}: unknown setting {name!r}; known are {', '.join(_KINDS)}")
        if not isinstance(value, kind) or (isinstance(value, list) and not _are_strings(value)):
            expected = "a list of strings" if kind is list else f"a {kind.__name__}"
            raise UsageError(f"{path}: {name} must be {expected}")
    return table


def _are_strings(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
