"""With FUNCTRACE=otlp: the file that the program records into, and the sender that follows it.

The sender is functrace.live, in a process that does not belong to the program: it is started by
one that ends at once.
"""

from __future__ import annotations

import sys

from functrace.runtime import BUILTINS
from functrace.runtime.system import os, time

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

globals()["__builtins__"] = BUILTINS

# The interpreter that sends, if the program's own has no opentelemetry.
PYTHON = "FUNCTRACE_PYTHON"

_START = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "live/start.py"
)
_NO_OPENTELEMETRY = 3  # a status of the script's
_FOLDERS = ("/tmp", "/var/tmp", "/usr/tmp", ".")
# What the program's process group gets while the sender starts waits until that ignores it.
_SIGNALS = range(1, 32)
_NOT_ITS_OWN = ("FUNCTRACE_HOOK", "FUNCTRACE_SIGNAL")
_MAX_WAIT_S = 5.0


def new_trace_path() -> str:
    """Of a file that nobody has, in the folder for temporary files."""
    variables = [os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    folders = [f for f in (*variables, *_FOLDERS) if f and os.access(f, os.W_OK | os.X_OK)]
    name = f"functrace-otlp-{os.getpid()}-{os.urandom(6).hex()}.ftrace"
    return os.path.join(os.path.abspath(folders[0] if folders else _FOLDERS[0]), name)


def with_private_umask(make: Callable[[], T]) -> T:
    """Make files that nobody else may read: others put theirs into that folder, too."""
    before = os.umask(0o077)
    try:
        return make()
    finally:
        os.umask(before)


def start_sender(path: str) -> None:
    """Have a sender follow the trace.

    Raises:
        OSError: it cannot be; says why.
    """
    python = _python()
    folders = [folder for folder in sys.path if type(folder) is str and os.path.isabs(folder)]
    is_ours = python == sys.executable
    command = [python, "-I", _START, path, *(folders if is_ours else ())]
    environment = {k: v for k, v in os.environ.items() if k not in _NOT_ITS_OWN}
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
    """Until the sender has sent all, if with this process the container ends: for 5 seconds."""
    if os.getpid() == 1:
        until = time.monotonic() + _MAX_WAIT_S
        while os.path.exists(path) and time.monotonic() < until:
            time.sleep(0.02)


def _python() -> str:
    """What runs the sender: a program that has Python in it is no interpreter."""
    chosen = os.environ.get(PYTHON, "")
    if chosen:
        return chosen
    if os.path.basename(sys.executable or "").startswith("python"):
        return sys.executable
    return os.path.join(sys.exec_prefix, "bin", "python3")


def _wait(process: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    except ChildProcessError:  # the program ignores SIGCHLD, or has waited for any child
        return 0
