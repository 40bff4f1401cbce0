"""Tracing switched on and off in another Python process by ``sys.remote_exec`` (PEP 768).

Python 3.14 and newer execute a script that another process of the same version names. The script
reports its result by replacing its own text.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from functrace.errors import FunctraceError

_OLDEST = (3, 14)
_PYTHON = re.compile(r"python(\d+)\.(\d+)\w*")
_LIBRARY = re.compile(r"/libpython(\d+)\.(\d+)\w*\.so")
_BOOT = Path(__file__).with_name("boot.py")
_DONE = "# done: "
_INTERVAL_S = 0.01
_MAX_REASON = 1000  # characters

_SCRIPT = """\
def _switch():
    namespace = {{"__name__": "functrace.pyimport.boot", "__file__": {boot!r}}}
    try:
        with open({boot!r}, encoding="utf-8") as file:
            exec(compile(file.read(), {boot!r}, "exec"), namespace)
        reason = namespace["switch"]({variables!r}, is_on={is_on!r})
    except BaseException as error:
        reason = type(error).__name__ + " in functrace"
        if type(error) in (ImportError, ModuleNotFoundError, PermissionError, FileNotFoundError):
            reason = str(error)
    with open({script!r}, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write({done!r} + reason)
_switch()
"""


def switch(
    pid: int, what: str, variables: Mapping[str, str], *, is_on: bool, wait_s: float
) -> None:
    """Start or stop tracing in a process, and wait until that is done.

    Args:
        pid: the process.
        what: the process in messages.
        variables: FUNCTRACE_* variables that precede those of the process.
        is_on: whether to start.
        wait_s: how long to wait, in seconds.

    Raises:
        FunctraceError: the process is not one of Python 3.14 or newer, refuses, or does not react.
    """
    python = _find_interpreter(pid, what)
    # Used by its descriptor: the process's user may put another file in its place.
    number, path = tempfile.mkstemp(prefix=f"functrace-{pid}-", suffix=".py")
    with open(number, "w+", encoding="utf-8", errors="replace") as script:
        try:
            _write_script(script, path, pid, variables, is_on=is_on)
            _execute(python, pid, what, path)
            reason = _wait(script, what, wait_s)
        except FunctraceError:
            script.truncate(0)  # a process that reads it later must find it, and do nothing
            raise
    with suppress(OSError):
        os.unlink(path)
    if reason:
        raise FunctraceError(f"{what}: {reason}")


def _find_interpreter(pid: int, what: str) -> str:
    """Return an interpreter of the version that the process runs."""
    version = _version_of(pid, what)
    if version < _OLDEST:
        raise FunctraceError(
            f"{what} cannot be switched: it was started without FUNCTRACE_SIGNAL;"
            " start it with FUNCTRACE=ring and FUNCTRACE_SIGNAL=USR1"
            f" (it runs Python {version[0]}.{version[1]}; from 3.14 on this is not needed)"
        )
    if version == sys.version_info[:2]:
        return sys.executable
    with suppress(OSError):
        python = os.readlink(f"/proc/{pid}/exe")
        if _PYTHON.fullmatch(os.path.basename(python)) and os.access(python, os.X_OK):
            return python
    raise FunctraceError(
        f"{what} runs Python {version[0]}.{version[1]}; run functrace with this version of Python"
    )


def _version_of(pid: int, what: str) -> tuple[int, int]:
    """Return the version of Python that the process runs, by the names of its mapped files."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines()
        paths = [os.readlink(f"/proc/{pid}/exe"), *(line[line.find("/") :] for line in lines)]
    except FileNotFoundError:
        if sys.platform == "linux" or sys.version_info < _OLDEST:
            raise FunctraceError(f"{what}: there is no such process") from None
        return sys.version_info[:2]  # sys.remote_exec checks it
    except OSError as error:
        raise FunctraceError(
            f"{what}: {error.strerror}; run functrace as its user or as root"
        ) from None
    for path in paths:
        found = _LIBRARY.search(path) or _PYTHON.fullmatch(os.path.basename(path))
        if found:
            return int(found[1]), int(found[2])
    raise FunctraceError(f"{what} cannot be switched: it is not traced, and does not run Python")


def _write_script(
    script: TextIO, path: str, pid: int, variables: Mapping[str, str], *, is_on: bool
) -> None:
    """Write what the process executes, and give the file to the process's user."""
    text = _SCRIPT.format(
        boot=str(_BOOT), variables=dict(variables), is_on=is_on, script=path, done=_DONE
    )
    script.write(text)
    script.flush()
    with suppress(OSError):  # not root: it is this user's process
        os.fchown(script.fileno(), os.stat(f"/proc/{pid}").st_uid, -1)


def _execute(python: str, pid: int, what: str, script: str) -> None:
    """Have the process execute the script at its next opportunity."""
    code = "import sys; sys.remote_exec(int(sys.argv[1]), sys.argv[2])"
    command = [python, "-I", "-S", "-c", code, str(pid), script]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        error = (done.stderr.splitlines() or [f"status {done.returncode}"])[-1]
        raise FunctraceError(
            f"{what} cannot be switched: {error[:_MAX_REASON]};"
            " this needs the rights of a debugger (root, or kernel.yama.ptrace_scope=0), and a"
            " program without PYTHON_DISABLE_REMOTE_DEBUG"
        )


def _wait(script: TextIO, what: str, wait_s: float) -> str:
    """Wait until the process has executed the script; return why it failed, or an empty string."""
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        script.seek(0)
        text = script.read(len(_DONE) + _MAX_REASON)
        if text.startswith(_DONE):
            return text.removeprefix(_DONE)
        time.sleep(_INTERVAL_S)
    raise FunctraceError(
        f"{what} has not been switched within {wait_s:.0f}s: its main thread waits in a call"
        " outside Python; try again while it runs"
    )
