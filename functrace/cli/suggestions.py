"""What somebody who typed something else may have meant."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import PurePath

from functrace.pyimport.command_line import CommandLine

_PYTHON = re.compile(r"python[\d.]*")
_FIRST_LINE = 200  # bytes of it that are looked at


def run_instead(words: Sequence[str], *options: str) -> str:
    """``functrace run ...`` for a command that runs a Python program; empty for any other."""
    first, *rest = words
    if _PYTHON.fullmatch(PurePath(first).name):
        return shlex.join(["functrace", "run", *options, *(_readable(rest) or ["FILE"])])
    if first.endswith(".py"):
        return shlex.join(["functrace", "run", *options, *words])
    script = shutil.which(first) if first != "functrace" else None
    if script and _is_python(script):
        return shlex.join(["functrace", "run", *options, script, *rest])
    return ""


def _readable(rest: Sequence[str]) -> list[str]:
    """Return what ``functrace run`` reads as Python reads ``rest``; nothing if it cannot."""
    try:
        CommandLine(rest)
    except ValueError:
        return []
    clashes = rest[0][:2] in ("-q", "-h", "--")
    return ["--", *rest] if clashes else list(rest)


def _is_python(script: str) -> bool:
    try:
        with open(script, "rb") as opened:
            line = opened.readline(_FIRST_LINE)
    except OSError:
        return False
    return line.startswith(b"#!") and b"python" in line
