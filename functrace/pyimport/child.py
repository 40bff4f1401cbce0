"""Import hook installation in Python processes that ``functrace run`` did not start itself."""

from __future__ import annotations

import os
import sys

from functrace.pyimport import code_cache, config, flags, loader, main_file
from functrace.pyimport.command_line import CommandLine
from functrace.pyimport.module_filter import ModuleFilter
from functrace.runtime import IS_PRIVILEGED


def begin() -> None:
    """Install the hook; restart a script so that its main module is instrumented, too."""
    if IS_PRIVILEGED:
        return
    settings = config.parse(os.environ.get(config.VARIABLE, ""))
    if main_file.is_main_file(settings, sys.argv[0]):
        return  # its prologue installs the hook
    script = _main_file(settings)
    if script:
        os.execv(sys.executable, [sys.executable, *_python_options(), script, *sys.argv])
    loader.install(settings)


def _python_options() -> list[str]:
    """Return the command line options of Python itself, without the program's."""
    return sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv)]


def _main_file(settings: config.Config) -> str | None:
    """Return the file to run instead of the main module, if that is one of the user's scripts."""
    first = sys.argv[0]
    if first in ("", "-", "-c", "-m") or not os.path.isfile(first):
        return None
    file = first if os.path.isabs(first) else f"{os.getcwd()}{os.sep}{first}"
    in_environment = os.path.dirname(file) == os.path.dirname(sys.executable)
    if in_environment or not ModuleFilter(settings).is_selected("__main__", file):
        return None
    try:
        with open(file, "rb") as opened:
            magic = opened.read(4)
        if magic[:2] == b"PK" or magic == code_cache.MAGIC:
            return None  # an archive, which the hook itself handles, or bytecode without source
        line = CommandLine(sys.orig_argv[1:])
        found, skips = flags.of_this_process(), "x" in line.switches
        return main_file.of_script(settings, sys.executable, found, first, skips_first_line=skips)
    except (OSError, ValueError):
        return None
