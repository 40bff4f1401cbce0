"""The hook in a Python process that was not started by ``functrace run`` but by Python itself."""

from __future__ import annotations

import os
import sys

from functrace.pyimport import code_cache, config, flags, loader, main_file
from functrace.pyimport.command_line import CommandLine
from functrace.pyimport.module_filter import Scope
from functrace.runtime import IS_PRIVILEGED


def begin() -> None:
    """Install the hook; a script is started again so that it is instrumented itself."""
    if IS_PRIVILEGED:
        return
    asked = config.parse(os.environ.get(config.VARIABLE, ""))
    if main_file.is_ours(asked, sys.argv[0]):
        return  # it has its own beginning
    script = _script(asked)
    if script:
        os.execv(sys.executable, [sys.executable, *_flags(), script, *sys.argv])
    loader.install(asked)


def _flags() -> list[str]:
    """What was given to Python and not to the program."""
    return sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv)]


def _script(asked: config.Config) -> str | None:
    """What to run in place of the main module, if that is a script of the user's own."""
    first = sys.argv[0]
    if first in ("", "-", "-c", "-m") or not os.path.isfile(first):
        return None
    file = first if os.path.isabs(first) else f"{os.getcwd()}{os.sep}{first}"
    in_environment = os.path.dirname(file) == os.path.dirname(sys.executable)
    if in_environment or not Scope(asked).takes("__main__", file):
        return None
    try:
        with open(file, "rb") as opened:
            begin = opened.read(4)
        if begin[:2] == b"PK" or begin == code_cache.MAGIC:
            return None  # an archive, which the hook itself can do, or nothing but bytecode
        line = CommandLine(sys.orig_argv[1:])
        found, skips = flags.of_this_process(), "x" in line.switches
        return main_file.of_script(asked, sys.executable, found, first, skips_first_line=skips)
    except (OSError, ValueError):
        return None
