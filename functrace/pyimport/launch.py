"""Command line and environment of the process that runs a traced program."""

from __future__ import annotations

import os
import stat
import sys

from functrace.errors import FunctraceError, UsageError
from functrace.pyimport import anonymous_file, flags, main_file
from functrace.pyimport.command_line import CommandLine, rejoin
from functrace.pyimport.config import VARIABLE, Config
from functrace.runtime.output_path import descriptor_of

START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "start")
_MIN_VERSION = (3, 10)


def command(config: Config, python: str, line: CommandLine) -> list[str]:
    """Return the command for ``python LINE`` with the import hook.

    If Python itself cannot run the program, for example because the file is missing or not valid
    source, return the plain command, so that Python reports the error.

    Raises:
        UsageError: the program cannot be traced.
        FunctraceError: ``python`` is too old or not an interpreter.
    """
    try:
        main = _main(config, python, line)
    except OSError:
        main = None
    if main is None:
        _check(python)
        words = [*line.options, *line.program]
        rejoin(words, len(line.options), line.joined)
        return [python, *words]
    return [python, *line.options, main, *line.program]


def variables(config: Config) -> dict[str, str]:
    """Return the environment variables of the process."""
    chosen = {VARIABLE: config.text()}
    if config.children:
        before = os.environ.get("PYTHONPATH")
        chosen["PYTHONPATH"] = os.pathsep.join([START, *([before] if before else [])])
    return chosen


def _main(config: Config, python: str, line: CommandLine) -> str | None:
    line.program = _with_pipe_kept(line.program)
    first, *rest = line.program
    found = flags.of_command(line)
    if first == "-m":
        return main_file.of_launcher(config, python, found)
    if first == "-c":
        code = rest[0].encode("utf-8", "surrogateescape")
        return main_file.of_source(config, python, found, "string", "<string>", code)
    if first == "-":
        return _of_standard_input(config, python, found)
    if os.path.isdir(first) or _is_archive(first):
        return main_file.of_launcher(config, python, found)
    skips = "x" in line.switches
    return main_file.of_script(config, python, found, first, skips_first_line=skips)


def _of_standard_input(config: Config, python: str, found: flags.Flags) -> str | None:
    if sys.stdin.isatty():
        raise UsageError("an interactive session is not traced; name a FILE or -m MODULE")
    source = sys.stdin.buffer.read()
    main = main_file.of_source(config, python, found, "stdin", "<stdin>", source)
    if main is None:
        anonymous_file.replace(sys.stdin.fileno(), source)
    return main


def _with_pipe_kept(program: tuple[str, ...]) -> tuple[str, ...]:
    """Replace a pipe that contains the program by a file: Python may have to read it again.

    A path such as /dev/fd/63 stays as it is. The path of a named pipe is replaced by such a path.
    """
    first, *rest = program
    if first in ("-m", "-c", "-"):
        return program
    number = descriptor_of(first)
    if number is not None and stat.S_ISFIFO(os.fstat(number).st_mode):
        with open(number, "rb", closefd=False) as pipe:
            anonymous_file.replace(number, pipe.read())
    elif number is None and stat.S_ISFIFO(os.stat(first).st_mode):
        with open(first, "rb") as pipe:
            return (f"/dev/fd/{anonymous_file.inherited(pipe.read())}", *rest)
    return program


def _is_archive(file: str) -> bool:
    if file.endswith(".py"):
        return False
    import zipfile

    return zipfile.is_zipfile(file)


def _check(python: str) -> None:
    """Raise an error if the interpreter cannot run or is too old."""
    import subprocess

    code = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
        )
        version = tuple(map(int, done.stdout.split()))
    except (OSError, ValueError, subprocess.CalledProcessError):
        version = ()
    if not version:
        raise FunctraceError(f"cannot run {python} as a Python interpreter")
    if version < _MIN_VERSION:
        found = ".".join(map(str, version))
        raise FunctraceError(f"{python} is Python {found}; 3.10 or newer is required")
