"""The ``functrace run`` command to suggest for a mistyped one, such as ``functrace app.py``."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import PurePath

from functrace.pyimport.command_line import CommandLine

_PYTHON = re.compile(r"python[\d.]*")
_SHEBANG_BYTES = 200


def suggest_run(words: Sequence[str], *options: str) -> str:
    """Return the ``functrace run`` form of a command that runs a Python program, else nothing."""
    first, *rest = words
    if _PYTHON.fullmatch(PurePath(first).name):
        return shlex.join(["functrace", "run", *options, *(_run_arguments(rest) or ["FILE"])])
    if first.endswith(".py"):
        return shlex.join(["functrace", "run", *options, *words])
    script = shutil.which(first) if first != "functrace" else None
    if script and _is_python_script(script):
        return shlex.join(["functrace", "run", *options, script, *rest])
    return ""


def _run_arguments(rest: Sequence[str]) -> list[str]:
    """Return arguments that ``functrace run`` reads as Python reads ``rest``; none if it cannot."""
    try:
        CommandLine(rest)
    except ValueError:
        return []
    clashes = rest[0][:2] in ("-q", "-h", "--")
    return ["--", *rest] if clashes else list(rest)


def _is_python_script(script: str) -> bool:
    try:
        with open(script, "rb") as opened:
            line = opened.readline(_SHEBANG_BYTES)
    except OSError:
        return False
    return line.startswith(b"#!") and b"python" in line
