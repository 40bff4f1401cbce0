"""The flags of an interpreter that decide what its compiler makes of a source."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing is nothing that every program loads
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functrace.pyimport.command_line import CommandLine


class Flags:
    """Flags of an interpreter.

    Attributes:
        optimize: 0, or 1 with ``-O``, or 2 with ``-OO``.
        options: what another interpreter needs on its command line to compile as this one.
    """

    def __init__(self, optimize: int, options: Iterable[str] = ()) -> None:
        self.optimize = min(optimize, 2)  # Python counts on, its compiler refuses more
        self.options = tuple(options)

    def key(self) -> tuple[object, ...]:
        """Return what differs where compiled code does."""
        return (self.optimize, *self.options)


def of_this_process() -> Flags:
    """Return those of the running interpreter."""
    return Flags(sys.flags.optimize, _options(sys._xoptions, _read(sys.flags.ignore_environment)))


def of_command(line: CommandLine) -> Flags:
    """Return those of the interpreter that is started with a command line."""
    environment = _read("E" in line.switches or "I" in line.switches)
    level = max(line.switches.count("O"), _level(environment.get("PYTHONOPTIMIZE", "")))
    given = {name: value or True for name, _, value in (x.partition("=") for x in line.x_options)}
    return Flags(level, _options(given, environment))


def _read(is_ignored: object) -> Mapping[str, str]:
    return {} if is_ignored else os.environ


def _level(text: str) -> int:
    """Return what Python makes of PYTHONOPTIMIZE."""
    return int(text) if text.isdecimal() else int(bool(text))


def _options(given: Mapping[str, str | bool], environment: Mapping[str, str]) -> Iterable[str]:
    if "no_debug_ranges" in given or environment.get("PYTHONNODEBUGRANGES"):
        yield from ("-X", "no_debug_ranges")
    digits = given.get("int_max_str_digits") or environment.get("PYTHONINTMAXSTRDIGITS")
    if digits:
        yield from ("-X", f"int_max_str_digits={digits}")
