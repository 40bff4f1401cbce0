"""Interpreter flags that affect compiled code."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functrace.pyimport.command_line import CommandLine


class Flags:
    """Compilation flags of an interpreter.

    Attributes:
        optimize: 0, or 1 with ``-O``, or 2 with ``-OO``.
        options: command line options that make another interpreter compile the same way.
    """

    def __init__(self, optimize: int, options: Iterable[str] = ()) -> None:
        self.optimize = min(optimize, 2)  # sys.flags may be higher, but compile() rejects that
        self.options = tuple(options)

    def key(self) -> tuple[object, ...]:
        """Return a value that differs if compiled code differs."""
        return (self.optimize, *self.options)


def of_this_process() -> Flags:
    """Return the flags of the running interpreter."""
    return Flags(
        sys.flags.optimize, _options(sys._xoptions, _environment(sys.flags.ignore_environment))
    )


def of_command(line: CommandLine) -> Flags:
    """Return the flags of an interpreter started with the given command line."""
    environment = _environment("E" in line.switches or "I" in line.switches)
    level = max(line.switches.count("O"), _level(environment.get("PYTHONOPTIMIZE", "")))
    given = {name: value or True for name, _, value in (x.partition("=") for x in line.x_options)}
    return Flags(level, _options(given, environment))


def _environment(is_ignored: object) -> Mapping[str, str]:
    return {} if is_ignored else os.environ


def _level(text: str) -> int:
    """Return the optimisation level that Python derives from PYTHONOPTIMIZE."""
    return int(text) if text.isdecimal() else int(bool(text))


def _options(given: Mapping[str, str | bool], environment: Mapping[str, str]) -> Iterable[str]:
    if "no_debug_ranges" in given or environment.get("PYTHONNODEBUGRANGES"):
        yield from ("-X", "no_debug_ranges")
    digits = given.get("int_max_str_digits") or environment.get("PYTHONINTMAXSTRDIGITS")
    if digits:
        yield from ("-X", f"int_max_str_digits={digits}")
