"""A line in an environment's site-packages, by which ``FUNCTRACE_HOOK=1`` is enough."""

from __future__ import annotations

import subprocess
from pathlib import Path

from functrace.errors import FunctraceError

_NAME = "functrace-hook.pth"
_BOOT = Path(__file__).parent / "boot.py"
# Python runs lines of such a file that begin with import. It must do no harm where functrace has
# gone, or where an older Python reads it.
_LINE = (
    'import os; os.environ.get("FUNCTRACE_HOOK", "0") != "0" and os.path.exists({boot!r}) and '
    "(lambda at: exec(__import__('_frozen_importlib_external').SourceFileLoader("
    "'functrace.pyimport.boot', {boot!r}).get_code('functrace.pyimport.boot'), at) "
    "or at['hook']())({{}})\n"
)


def install(python: str) -> Path:
    """Write the file for the environment of ``python``, and return where.

    Raises:
        FunctraceError: it cannot be written, or somebody else's is there.
    """
    path = _path(python)
    content = _LINE.format(boot=str(_BOOT))
    if path.exists() and not _is_ours(path):
        raise FunctraceError(f"{path} is not functrace's; it is left as it is")
    try:
        path.write_text(content)
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror}") from None
    return path


def remove(python: str) -> Path | None:
    """Take the file away, and return where it was; None if there is none.

    Raises:
        FunctraceError: it is somebody else's.
    """
    path = _path(python)
    if not path.exists():
        return None
    if not _is_ours(path):
        raise FunctraceError(f"{path} is not functrace's; it is left as it is")
    try:
        path.unlink()
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror}") from None
    return path


def _is_ours(path: Path) -> bool:
    before = _LINE.partition("{boot!r}")[0]
    return path.read_text().startswith(before)


def _path(python: str) -> Path:
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    try:
        done = subprocess.run(
            [python, "-I", "-c", asked], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        raise FunctraceError(f"{python} is no Python that can be run") from None
    return Path(done.stdout.strip()) / _NAME
