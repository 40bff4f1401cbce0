"""Installation of the ``.pth`` file that makes ``FUNCTRACE_HOOK=1`` enable the import hook."""

from __future__ import annotations

import subprocess
from pathlib import Path

from functrace.errors import FunctraceError

_NAME = "functrace-hook.pth"
_BOOT = Path(__file__).parent / "boot.py"
# Python runs the lines of a .pth file that begin with import. The line must be harmless after
# functrace was uninstalled, and under older Pythons.
_LINE = (
    'import os; os.environ.get("FUNCTRACE_HOOK", "0") != "0" and os.path.exists({boot!r}) and '
    "(lambda at: exec(__import__('_frozen_importlib_external').SourceFileLoader("
    "'functrace.pyimport.boot', {boot!r}).get_code('functrace.pyimport.boot'), at) "
    "or at['hook']())({{}})\n"
)


def install(python: str) -> Path:
    """Write the file in the environment of ``python``, and return its path.

    Raises:
        FunctraceError: it cannot be written, or another tool's file has its name.
    """
    path = _path(python)
    content = _LINE.format(boot=str(_BOOT))
    if path.exists() and not _is_ours(path):
        raise FunctraceError(f"{path} was not written by functrace; not changed")
    try:
        path.write_text(content)
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror}") from None
    return path


def remove(python: str) -> Path | None:
    """Delete the file and return its path; None if it does not exist.

    Raises:
        FunctraceError: it belongs to another tool.
    """
    path = _path(python)
    if not path.exists():
        return None
    if not _is_ours(path):
        raise FunctraceError(f"{path} was not written by functrace; not changed")
    try:
        path.unlink()
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror}") from None
    return path


def _is_ours(path: Path) -> bool:
    prefix = _LINE.partition("{boot!r}")[0]
    return path.read_text().startswith(prefix)


def _path(python: str) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    try:
        done = subprocess.run(
            [python, "-I", "-c", code], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        raise FunctraceError(f"cannot run {python} as a Python interpreter") from None
    return Path(done.stdout.strip()) / _NAME
