"""From the words of a command line to the process to be run."""

from __future__ import annotations

import os
import sys

from functrace.errors import FunctraceError, UsageError
from functrace.hook import mainfile
from functrace.hook.config import VARIABLE, Config

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from collections.abc import Sequence

START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "start")
_OLDEST = (3, 10)


def command(config: Config, python: str, words: Sequence[str]) -> list[str]:
    """What to run: ``python WORDS`` with the hook.

    Where Python itself cannot run it, such as a file that is not there or no valid source, that is
    what is to be run, so that it says so.

    Raises:
        UsageError: it cannot be traced.
        FunctraceError: ``python`` is too old, or none.
    """
    try:
        main = _main(config, python, words)
    except OSError:
        main = None
    if main is None:
        _check(python)
        return [python, *words]
    return [python, main, *words]


def variables(config: Config) -> dict[str, str]:
    """What the process is to find in its environment."""
    chosen = {VARIABLE: config.text()}
    if config.children:
        before = os.environ.get("PYTHONPATH")
        chosen["PYTHONPATH"] = os.pathsep.join([START, *([before] if before else [])])
    return chosen


def _main(config: Config, python: str, words: Sequence[str]) -> str | None:
    first, *rest = words
    if first == "-m" and rest:
        return mainfile.of_launcher(config, python)
    if first == "-c" and rest:
        return mainfile.of_source(config, python, "string", "<string>", rest[0].encode())
    if first == "-":
        if sys.stdin.isatty():
            raise UsageError("an interactive session is not traced; name a FILE or -m MODULE")
        source = sys.stdin.buffer.read()
        return mainfile.of_source(config, python, "stdin", "<stdin>", source)
    if os.path.isdir(first) or _is_archive(first):
        return mainfile.of_launcher(config, python)
    file = first if os.path.isabs(first) else f"{os.getcwd()}{os.sep}{first}"
    with open(first, "rb") as opened:
        return mainfile.of_source(config, python, "script", file, opened.read())


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
