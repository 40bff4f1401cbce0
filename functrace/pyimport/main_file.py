"""The file that Python is told to run in place of the program's main module."""

from __future__ import annotations

import os

from functrace.cache import entries
from functrace.pyimport import code_cache
from functrace.pyimport.compile_client import Compiler
from functrace.runtime.stderr import write_message

TYPE_CHECKING = False  # typing is nothing that every program loads
if TYPE_CHECKING:
    from functrace.pyimport.config import Config
    from functrace.pyimport.flags import Flags


def of_launcher(config: Config, python: str, flags: Flags) -> str | None:
    """For what runpy starts: ``-m``, folders and archives."""
    key = _key(config, python, flags, "launcher", "", b"")
    return _made(config, python, flags, key, "launcher")


def of_script(
    config: Config, python: str, flags: Flags, file: str, *, skips_first_line: bool
) -> str | None:
    """The same as :func:`of_source` for a file. Raises OSError: it cannot be read."""
    with open(file, "rb") as opened:
        source = opened.read()
    if skips_first_line:
        source = source[len(source.partition(b"\n")[0]) :]
    path = file if os.path.isabs(file) else f"{os.getcwd()}{os.sep}{file}"
    return of_source(config, python, flags, "script", path, source)


def of_source(
    config: Config, python: str, flags: Flags, kind: str, file: str, source: bytes
) -> str | None:
    """For a script, ``-c`` or standard input; None if Python itself has to say what is wrong.

    Args:
        config: what is to be instrumented.
        python: the interpreter that will run it.
        flags: of that interpreter.
        kind: ``script``, ``string`` or ``stdin``.
        file: what Python calls the file.
        source: its content.
    """
    key = _key(config, python, flags, kind, file, source)
    request = ("main", file, source, kind, flags.optimize)
    return _made(config, python, flags, key, *request)


def _made(config: Config, python: str, flags: Flags, key: str, *request: object) -> str | None:
    path = entries.path(config.cache, key)
    if entries.read(config.cache, key):
        return path
    made = Compiler(python, config.text(), flags).ask(*request)
    if not made:
        return None
    # This process keeps it, not the other: it may have another Python, and that another digest.
    if entries.put(config.cache, key, made):
        return path
    write_message(
        "the program is not traced: its main module cannot be kept in "
        f"{config.cache}; FUNCTRACE_CACHE chooses another folder"
    )
    return None


def _key(config: Config, python: str, flags: Flags, kind: str, file: str, source: bytes) -> str:
    found = os.stat(python)
    interpreter = (python, found.st_mtime_ns, found.st_size)
    content = source.decode("latin-1")
    text = repr((config.key(flags), interpreter, __file__, kind, file, content))
    return f"{code_cache.digest(text)}.pyc"


def is_ours(config: Config, file: str) -> bool:
    """Whether Python was told to run a file that was made here."""
    return file.startswith(config.cache + os.sep) and file.endswith(".pyc")
