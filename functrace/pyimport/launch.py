"""From the words of a command line to the process to be run."""

from __future__ import annotations

import os
import stat
import sys

from functrace.errors import FunctraceError, UsageError
from functrace.pyimport import flags, main_file
from functrace.pyimport.command_line import CommandLine, rejoin
from functrace.pyimport.config import VARIABLE, Config
from functrace.runtime.output_path import descriptor_of

TYPE_CHECKING = False  # typing takes longer to load than all of this
if TYPE_CHECKING:
    from typing import BinaryIO

START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "start")
_OLDEST = (3, 10)


def command(config: Config, python: str, line: CommandLine) -> list[str]:
    """What to run: ``python LINE`` with the hook.

    Where Python itself cannot run it, such as a file that is not there or no valid source, that is
    what is to be run, so that it says so.

    Raises:
        UsageError: it cannot be traced.
        FunctraceError: ``python`` is too old, or none.
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
    """What the process is to find in its environment."""
    chosen = {VARIABLE: config.text()}
    if config.children:
        before = os.environ.get("PYTHONPATH")
        chosen["PYTHONPATH"] = os.pathsep.join([START, *([before] if before else [])])
    return chosen


def _main(config: Config, python: str, line: CommandLine) -> str | None:
    first, *rest = line.program
    found = flags.of_command(line)
    if first == "-m":
        return main_file.of_launcher(config, python, found)
    if first == "-c":
        code = rest[0].encode("utf-8", "surrogateescape")
        return main_file.of_source(config, python, found, "string", "<string>", code)
    if first == "-":
        return _of_standard_input(config, python, found)
    _keep_pipe(first)
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
        _give_back(source, sys.stdin.fileno())
    return main


def _keep_pipe(path: str) -> None:
    """Replace a pipe, of which a path such as /dev/fd/63 is a descriptor, by what is read of it.

    Python may have to read it as well.
    """
    number = descriptor_of(path)
    if number is not None and stat.S_ISFIFO(os.fstat(number).st_mode):
        with open(number, "rb", closefd=False) as pipe:
            _give_back(pipe.read(), number)


def _give_back(content: bytes, number: int) -> None:
    """Let a descriptor be read that has been read to its end."""
    with _new_file() as file:
        file.write(content)
        file.seek(0)
        os.dup2(file.fileno(), number)


def _new_file() -> BinaryIO:
    """Return a file without a name, on no disk where that can be: it may be full."""
    if sys.platform == "linux":
        return open(os.memfd_create("stdin"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()


def _is_archive(file: str) -> bool:
    if file.endswith(".py"):
        return False
    import zipfile

    return zipfile.is_zipfile(file)


def _check(python: str) -> None:
    """Say what is wrong with the interpreter, if that is what is wrong."""
    import subprocess

    asked = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-c", asked], capture_output=True, text=True, check=True
        )
        version = tuple(map(int, done.stdout.split()))
    except (OSError, ValueError, subprocess.CalledProcessError):
        version = ()
    if not version:
        raise FunctraceError(f"{python} is no Python that can be run")
    if version < _OLDEST:
        told = ".".join(map(str, version))
        raise FunctraceError(f"{python} is Python {told}; it takes 3.10 or newer")
