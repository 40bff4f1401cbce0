"""The C recorder's trace file when the program is killed or its file is closed, deleted or full."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from functrace.analysis import calls
from functrace.tracefile import open_trace
from tests.python_runtime import decoder
from tests.python_runtime.conftest import HEAD, Runner, Runtime, environment
from tests.support.pythons import each_python


@pytest.fixture(params=each_python())
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return Runtime(request.param, is_native=True)


_FILL = """
@trace
def leaf(): pass
@trace
def fill():
    for _ in range(100_000): leaf()
fill()
print("done")
"""


def test_file_size_limit(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(HEAD + _FILL)
    run = subprocess.run(
        [runtime.python.executable, "program.py"],
        cwd=tmp_path,
        env=environment(runtime, {"FUNCTRACE": "record", "FUNCTRACE_OUT": "x.ftrace"}),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)),
        capture_output=True,
        text=True,
        check=True,
    )
    trace = decoder.read(tmp_path / "x.ftrace")
    assert run.stdout == "done\n"
    assert run.stderr == (
        f"functrace: cannot write the trace: write {tmp_path}/x.ftrace: file too large;"
        " tracing is off\n"
    )
    assert trace.flags & decoder.WRITE_FAILED
    assert trace.lost > 0
    assert 10_000 < len(trace.tracks[0].events) < 50_000


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk"
)
def test_full_disk(runtime: Runtime, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nor may this root")
    try:
        (tmp_path / "program.py").write_text(HEAD + _FILL)
        run = subprocess.run(
            [runtime.python.executable, "program.py"],
            cwd=tmp_path,
            env=environment(runtime, {"FUNCTRACE": "record", "FUNCTRACE_OUT": "disk/x.ftrace"}),
            capture_output=True,
            text=True,
            check=True,
        )
        trace = decoder.read(disk / "x.ftrace")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert run.stdout == "done\n"
    assert run.stderr == (
        f"functrace: cannot write the trace: write {disk}/x.ftrace: no space left on device;"
        " tracing is off\n"
    )
    assert trace.flags & decoder.WRITE_FAILED
    assert len(trace.tracks[0].events) > 10_000


def test_full_file_stops_or_overwrites(run: Runner) -> None:
    stopped = run(_FILL, FUNCTRACE_MAX_SIZE="500K", FUNCTRACE_OUT="stop.ftrace")
    assert stopped.stderr == (
        "functrace: the trace has reached FUNCTRACE_MAX_SIZE; tracing is off\n"
    )
    assert stopped.trace.flags & decoder.FULL
    (stopped.folder / "stop.ftrace").unlink()
    overwritten = run(_FILL, FUNCTRACE_MAX_SIZE="500K", FUNCTRACE_FULL="overwrite")
    (path,) = overwritten.folder.glob("*.ftrace")
    assert overwritten.stderr == ""
    assert path.stat().st_size <= 500 << 10
    trace = overwritten.trace
    assert trace.flags == decoder.OVERWRITES | decoder.CLEAN
    assert trace.tracks[0].events[-2:] == ["< leaf", "< fill"]
    assert len(trace.tracks[0].events) > 30_000
    assert calls(open_trace(path)).depth.max() == 1  # the open call of fill was written again


def test_program_closes_descriptors(run: Runner) -> None:
    """Daemons do so; the next opened file must not be mistaken for the trace."""
    done = run(
        """
        import os
        @trace
        def leaf(): pass
        leaf()
        os.closerange(3, 300)
        mine = open("mine", "w+")
        others = [os.dup2(mine.fileno(), number) for number in range(10, 300)]
        for _ in range(50_000): leaf()
        print(os.path.getsize("mine"))
    """
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert done.trace.tracks[0].events.count("< leaf") == 50_001


def test_deleted_file_cannot_grow(run: Runner) -> None:
    done = run(
        """
        import os
        @trace
        def leaf(): pass
        leaf()
        (name,) = [name for name in os.listdir() if name.endswith(".ftrace")]
        os.unlink(name)
        os.closerange(3, 300)
        for _ in range(50_000): leaf()
        print("done")
    """
    )
    assert done.stdout == "done\n"
    assert done.stderr.startswith("functrace: cannot write the trace: write /")
    assert done.stderr.endswith(": no such file or directory; tracing is off\n")


def test_fork_in_c(run: Runner) -> None:
    done = run(
        """
        import ctypes, os
        libc = ctypes.PyDLL(None)
        @trace
        def parents(): pass
        @trace
        def childs(): pass
        parents()
        pid = libc.fork()
        if pid == 0:
            for _ in range(10_000): childs()
            os._exit(0)
        os.waitpid(pid, 0)
        parents()
    """
    )
    assert done.trace.tracks[0].calls == ">parents <parents >parents <parents"


def test_short_tracks_share_chunks(run: Runner) -> None:
    done = run(
        """
        import asyncio, threading
        @trace
        def leaf(): pass
        @trace
        async def job(): leaf()
        for _ in range(300):
            thread = threading.Thread(target=leaf)
            thread.start()
            thread.join()
        async def main():
            for _ in range(300): await asyncio.create_task(job())
        asyncio.run(main())
    """
    )
    (path,) = done.folder.glob("*.ftrace")
    assert len(done.trace.tracks) == 600
    assert path.stat().st_size < 300_000


def test_snapshot_while_other_threads_write(run: Runner) -> None:
    done = run(
        """
        import threading
        @trace
        def leaf(): pass
        done = threading.Event()
        def work():
            while not done.is_set(): leaf()
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads: thread.start()
        for n in range(5): functrace.snapshot(f"{n}.ftrace")
        done.set()
        for thread in threads: thread.join()
    """
    )
    assert len(done.traces) == 6
    assert [trace.flags for trace in done.traces].count(decoder.CLEAN) == 1
