"""The file that Python is told to run in place of the program's main module."""

from __future__ import annotations

import os
import sys

from functrace.cache import entries
from functrace.hook import store
from functrace.hook.compiler import Compiler

TYPE_CHECKING = False  # typing is nothing that every program loads
if TYPE_CHECKING:
    from functrace.hook.config import Config


def of_launcher(config: Config, python: str) -> str | None:
    """For what runpy starts: ``-m``, folders and archives."""
    key = _key(config, python, "launcher", "", b"")
    return _made(config, python, key, "launcher")


def of_source(config: Config, python: str, kind: str, file: str, source: bytes) -> str | None:
    """For a script, ``-c`` or standard input; None if Python itself has to say what is wrong.

    Args:
        config: what is to be instrumented.
        python: the interpreter that will run it.
        kind: ``script``, ``string`` or ``stdin``.
        file: what Python calls the file.
        source: its content.
    """
    key = _key(config, python, kind, file, source)
    return _made(config, python, key, "main", file, source, kind, sys.flags.optimize)


def _made(config: Config, python: str, key: str, *request: object) -> str | None:
    path = entries.path(config.cache, key)
    if entries.read(config.cache, key):
        return path
    made = Compiler(python, config.text()).ask(*request)
    # This process keeps it, not the other: it may have another Python, and that another digest.
    return path if made and entries.put(config.cache, key, made) else None


def _key(config: Config, python: str, kind: str, file: str, source: bytes) -> str:
    found = os.stat(python)
    interpreter = (python, found.st_mtime_ns, found.st_size)
    content = source.decode("latin-1")
    text = repr((config.key(), interpreter, __file__, kind, file, content))
    return f"{store.digest(text)}.pyc"


def is_ours(config: Config, file: str) -> bool:
    """Whether Python was told to run a file that was made here."""
    return file.startswith(config.cache + os.sep) and file.endswith(".pyc")
