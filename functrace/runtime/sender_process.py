"""Start of the OTLP sender process, and the trace file that it follows (FUNCTRACE=otlp).

The sender is functrace.export.otlp.live. An intermediate process starts it and ends at once, so
that it is not a child of the program.
"""

from __future__ import annotations

import sys

from functrace.runtime import BUILTINS
from functrace.runtime.system import os, time

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

globals()["__builtins__"] = BUILTINS

# The sender's interpreter, for programs whose own has no opentelemetry.
PYTHON = "FUNCTRACE_PYTHON"

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_START = os.path.join(_PACKAGE, "export/otlp/live/start.py")
_NO_OPENTELEMETRY = 3  # an exit status of export/otlp/live/start.py
_FOLDERS = ("/tmp", "/var/tmp", "/usr/tmp", ".")
# Signals to the program's process group stay blocked in the sender until it ignores them.
_SIGNALS = range(1, 32)
_NOT_INHERITED = ("FUNCTRACE_HOOK", "FUNCTRACE_SIGNAL")
_MAX_WAIT_S = 5.0


def new_trace_path() -> str:
    """Return an unused path in the directory for temporary files."""
    variables = [os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    folders = [f for f in (*variables, *_FOLDERS) if f and os.access(f, os.W_OK | os.X_OK)]
    name = f"functrace-otlp-{os.getpid()}-{os.urandom(6).hex()}.ftrace"
    return os.path.join(os.path.abspath(folders[0] if folders else _FOLDERS[0]), name)


def with_private_umask(make: Callable[[], T]) -> T:
    """Create files that other users cannot read, because they may share the directory."""
    before = os.umask(0o077)
    try:
        return make()
    finally:
        os.umask(before)


def start_sender(path: str) -> None:
    """Start a sender that follows the trace.

    Raises:
        OSError: it cannot be started; the message contains the reason.
    """
    python = _python()
    folders = [folder for folder in sys.path if type(folder) is str and os.path.isabs(folder)]
    is_ours = python == sys.executable
    command = [python, "-I", _START, path, *(folders if is_ours else ())]
    environment = {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}
    devices = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in (0, 1)]
    try:
        process = os.posix_spawn(
            python,
            command,
            {**environment, "FUNCTRACE": "off"},
            file_actions=devices,
            setsigmask=_SIGNALS,
        )
    except OSError as error:
        raise OSError(f"{python}: {error.strerror}") from None
    status = _wait(process)
    if status == _NO_OPENTELEMETRY:
        raise OSError(f"{python} has no opentelemetry: pip install 'functrace-cli[otlp]'")
    if status:
        raise OSError(f"the sender ended at once, {python} with status {status}")


def wait_for_sender(path: str) -> None:
    """Wait up to 5 seconds for the sender if this is process 1, whose end ends the container."""
    if os.getpid() == 1:
        until = time.monotonic() + _MAX_WAIT_S
        while os.path.exists(path) and time.monotonic() < until:
            time.sleep(0.02)


def _python() -> str:
    """Return the interpreter of the sender; sys.executable may be a program that embeds Python."""
    chosen = os.environ.get(PYTHON, "")
    if chosen:
        return chosen
    if os.path.basename(sys.executable or "").startswith("python"):
        return sys.executable
    return os.path.join(sys.exec_prefix, "bin", "python3")


def _wait(process: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    except ChildProcessError:  # the program ignores SIGCHLD or has waited for any child
        return 0
