"""A trace is truncated while it is written, as by logrotate's copytruncate.

The extension survives the fault; every other SIGBUS does what it would do without functrace.
"""

from __future__ import annotations

import signal

import pytest

from tests.python_runtime.conftest import Runner, Runtime
from tests.support.pythons import each_python

_FILL = """
import os, signal, sys, threading
@trace
def leaf(): pass
@trace
def fill(count):
    for _ in range(count): leaf()
fill(20_000)
(name,) = [name for name in os.listdir() if name.endswith(".ftrace")]
"""


@pytest.fixture(params=each_python())
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return Runtime(request.param, is_native=True)


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param("os.truncate(name, 0)", id="truncated"),
        pytest.param("os.truncate(name, 5000)", id="cut off"),
        pytest.param("open(name, 'w').close()", id="opened for writing"),
        pytest.param("os.truncate(name, 0); os.truncate(name, 4096)", id="with an empty header"),
    ],
)
@pytest.mark.parametrize("full", ["stop", "overwrite"])
def test_program_continues(run: Runner, cut: str, full: str) -> None:
    program = f"""
{cut}
size = os.path.getsize(name)
threads = [threading.Thread(target=fill, args=(20_000,)) for _ in range(3)]
for thread in threads: thread.start()
fill(50_000)
for thread in threads: thread.join()
print(os.path.getsize(name) == size)
os.remove(name)
"""
    done = run(_FILL + program, FUNCTRACE_FULL=full, FUNCTRACE_MAX_SIZE="1M")
    assert done.stdout == "True\n"
    assert done.stderr.startswith("functrace: cannot write the trace: /")
    assert done.stderr.endswith(".ftrace has been truncated; tracing is off\n")
    assert done.stderr.count("\n") == 1


def test_file_truncated_before_the_end(run: Runner) -> None:
    """After that, only the flag of a clean end is written."""
    remove = "import atexit, glob, os; atexit.register(lambda: os.remove(*glob.glob('*.ftrace')))\n"
    done = run(remove + _FILL + "os.truncate(name, 0)\nprint('done')\n")
    assert done.stdout == "done\n"
    assert done.stderr.endswith(".ftrace has been truncated; tracing is off\n")


_MAPPED = """
import mmap
with open("mapped", "w+b") as file:
    file.write(bytes(4096))
    file.flush()
    mapped = mmap.mmap(file.fileno(), 4096)
    os.truncate("mapped", 0)
"""
_BEFORE = "import faulthandler; faulthandler.enable()\n"


@pytest.mark.parametrize("enable", [_BEFORE, ""], ids=["enabled before", "enabled after"])
def test_other_fault_reaches_faulthandler(run: Runner, enable: str) -> None:
    after = "" if enable else _BEFORE
    done = run(enable + _FILL + after + _MAPPED + "mapped[0] = 1\n", status=-signal.SIGBUS)
    assert done.stderr.startswith("Fatal Python error: Bus error")
    assert done.stderr.count("Fatal") == 1


@pytest.mark.parametrize(
    "end", [_MAPPED + "mapped[0] = 1\n", "os.kill(os.getpid(), signal.SIGBUS)\n"]
)
def test_other_fault_ends_the_program(run: Runner, end: str) -> None:
    done = run(_FILL + end, status=-signal.SIGBUS)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("is_before", [True, False])
def test_handler_of_the_program(run: Runner, is_before: bool) -> None:
    """It receives sent signals, and faults in the trace only if it was installed after ours."""
    install = """
import os, signal
def handle(number, frame): print("handled", number == signal.SIGBUS)
print(signal.getsignal(signal.SIGBUS) is signal.SIG_DFL)
signal.signal(signal.SIGBUS, handle)
"""
    raised = (
        "os.kill(os.getpid(), signal.SIGBUS)\nprint(signal.getsignal(signal.SIGBUS) is handle)\n"
    )
    program = [install, _FILL] if is_before else [_FILL, install]
    done = run("".join([*program, raised]))
    assert done.stdout == "True\nhandled True\nTrue\n"


def test_ignored_signal_stays_ignored(run: Runner) -> None:
    done = run(
        "import signal; signal.signal(signal.SIGBUS, signal.SIG_IGN)\n"
        + _FILL
        + """
import subprocess
os.kill(os.getpid(), signal.SIGBUS)
ask = "import signal; print(signal.getsignal(signal.SIGBUS) is signal.SIG_IGN)"
subprocess.run([sys.executable, "-c", ask])
"""
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
