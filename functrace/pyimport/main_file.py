"""The bytecode file that Python runs instead of the program's main module."""

from __future__ import annotations

import os

from functrace.cache import entries
from functrace.pyimport import code_cache
from functrace.pyimport.compile_client import Compiler
from functrace.runtime.stderr import write_message

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from functrace.pyimport.config import Config
    from functrace.pyimport.flags import Flags


def of_launcher(config: Config, python: str, flags: Flags) -> str | None:
    """Return the path of the file for ``-m``, directories and archives, which runpy starts."""
    key = _key(config, python, flags, "launcher", "", b"")
    return _compile(config, python, flags, key, "launcher")


def of_script(
    config: Config, python: str, flags: Flags, file: str, *, skips_first_line: bool
) -> str | None:
    """Return :func:`of_source` for a script. Raises OSError if it cannot be read."""
    with open(file, "rb") as opened:
        source = opened.read()
    if skips_first_line:
        source = source[len(source.partition(b"\n")[0]) :]
    path = file if os.path.isabs(file) else f"{os.getcwd()}{os.sep}{file}"
    return of_source(config, python, flags, "script", path, source)


def of_source(
    config: Config, python: str, flags: Flags, kind: str, file: str, source: bytes
) -> str | None:
    """Return the file for a script, ``-c`` or standard input; None if Python must report an error.

    Args:
        config: what is to be instrumented.
        python: the interpreter that will run it.
        flags: of that interpreter.
        kind: ``script``, ``string`` or ``stdin``.
        file: the file name that Python reports.
        source: the source code.
    """
    key = _key(config, python, flags, kind, file, source)
    request = ("main", file, source, kind, flags.optimize)
    return _compile(config, python, flags, key, *request)


def _compile(config: Config, python: str, flags: Flags, key: str, *request: object) -> str | None:
    path = entries.path(config.cache, key)
    if entries.read(config.cache, key):
        return path
    made = Compiler(python, config.text(), flags).request(*request)
    if not made:
        return None
    # Written here and not by the server, whose Python may use a different digest.
    if entries.put(config.cache, key, made):
        return path
    write_message(
        "the program is not traced: cannot write its main module to "
        f"{config.cache}; choose another directory with FUNCTRACE_CACHE"
    )
    return None


def _key(config: Config, python: str, flags: Flags, kind: str, file: str, source: bytes) -> str:
    found = os.stat(python)
    interpreter = (python, found.st_mtime_ns, found.st_size)
    content = source.decode("latin-1")
    text = repr((config.key(flags), interpreter, __file__, kind, file, content))
    return f"{code_cache.digest(text)}.pyc"


def is_main_file(config: Config, file: str) -> bool:
    """Return whether ``file`` was created by this module."""
    return file.startswith(config.cache + os.sep) and file.endswith(".pyc")
