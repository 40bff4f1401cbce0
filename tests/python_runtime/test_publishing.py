"""A trace appears in its folder once it is readable; a kill before that leaves no file."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.python_runtime.conftest import Runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="files without a name are Linux'")

# The signal of a write beyond the limit stands for any kill between two steps.
_LIMITED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
@trace
def leaf(): pass
leaf()
"""


@pytest.mark.parametrize("limit", [0, 100, 4096, 30_000])
@pytest.mark.parametrize("full", ["stop", "overwrite"])
def test_kill_before_the_trace_is_complete(run: Runner, limit: int, full: str) -> None:
    done = run(_LIMITED.format(limit=limit), status=-signal.SIGXFSZ, FUNCTRACE_FULL=full)
    assert [path.name for path in done.folder.iterdir()] == ["program.py"]


@pytest.mark.parametrize("limit", [0, 4096, 30_000])
@pytest.mark.parametrize("full", ["stop", "overwrite"])
def test_full_disk(run: Runner, limit: int, full: str) -> None:
    program = _LIMITED.format(limit=limit).replace("SIG_DFL", "SIG_IGN")
    done = run(program, FUNCTRACE_FULL=full, FUNCTRACE_OUT="x.ftrace")
    reason = "FUNCTRACE_OUT: x.ftrace: File too large"
    assert done.stderr == f"functrace: {reason}; tracing is off\n"
    assert [path.name for path in done.folder.iterdir()] == ["program.py"]


def test_existing_trace_is_kept(run: Runner) -> None:
    program = """
    @trace
    def leaf(): pass
    leaf()
    """
    for name in ("x.ftrace", "x-2.ftrace", "x-3.ftrace"):
        done = run(program, FUNCTRACE_OUT="x.ftrace")
        assert (done.folder / name).exists()
    assert [trace.tracks[0].calls for trace in done.traces] == [">leaf <leaf"] * 3


def test_system_without_anonymous_files(run: Runner) -> None:
    """Without /proc or anonymous files, the trace is created under its name."""
    done = run(
        """
        import ctypes, os
        CLONE_NEWNS = 0x20000
        libc = ctypes.CDLL(None)
        if os.geteuid() or libc.unshare(CLONE_NEWNS):
            print("needs root")
            raise SystemExit
        libc.mount(b"none", b"/", None, 1 << 18 | 1 << 14, None)
        print(libc.mount(b"none", b"/proc", b"tmpfs", 0, None))
        @trace
        def leaf(): pass
        leaf()
        """
    )
    if done.stdout == "needs root\n":
        pytest.skip("only root may hide /proc")
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert done.trace.tracks[0].calls == ">leaf <leaf"
