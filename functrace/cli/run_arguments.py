"""Fast parser for simple ``functrace run`` command lines: importing click takes longer."""

from __future__ import annotations

import os

from functrace import settings
from functrace.pyimport.command_line import is_option

TYPE_CHECKING = False  # typing takes longer to load than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_SWITCHES = "exported_only skip_generated lambdas std children record otlp overwrite quiet".split()
_LISTS = "include exclude include_path exclude_path compiled deps".split()
_TEXTS = "python out max_size min_duration".split()
# Numbers: left to click if given.
_NUMBER_DEFAULTS: dict[str, int | None] = {"min_lines": 0, "depth": None}
_OPTIONS = {f"--{n.replace('_', '-')}": n for n in (*_SWITCHES, *_LISTS, *_TEXTS)}
_OPTIONS |= {"-o": "out", "-q": "quiet"}


def run(arguments: Sequence[str]) -> None:
    """Start the program; return if click has to parse the command line."""
    found = parse(arguments)
    if found is None or settings.may_exist(os.getcwd(), os.environ):
        return
    from functrace.cli import run_program

    run_program.start(*found)


def parse(arguments: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """Return the program with its arguments and the options by name; None if that takes click."""
    flags = {**dict.fromkeys(_SWITCHES, False), **dict.fromkeys(_TEXTS), **_NUMBER_DEFAULTS}
    lists: dict[str, list[str]] = {name: [] for name in _LISTS}
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-" and not _is_python_option(rest[0]):
        name = _OPTIONS.get(rest.pop(0), "")
        if name in _SWITCHES:
            flags[name] = True
        elif not name or not rest:
            return None
        elif name in _LISTS:
            lists[name].append(rest.pop(0))
        else:
            flags[name] = rest.pop(0)
    tuples = {name: tuple(values) for name, values in lists.items()}
    return (tuple(rest), {**flags, **tuples}) if rest else None


def _is_python_option(word: str) -> bool:
    """Return whether ``word`` is an option of Python itself, or its ``-m`` or ``-c``."""
    return word[:2] not in ("-o", "-q", "-h") and word != "--help" and is_option(word)
