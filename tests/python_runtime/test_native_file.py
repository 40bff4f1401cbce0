"""The file that the extension writes, whatever ends the program or takes its file away."""

from __future__ import annotations

import os
import random
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from functrace.analysis import calls
from functrace.trace import open_trace
from tests.python_runtime import told
from tests.python_runtime.conftest import HEAD, Runner, Runtime, environment
from tests.support.pythons import each_python

_KILLS = int(os.environ.get("FUNCTRACE_TEST_KILLS", "4"))


@pytest.fixture(params=each_python())
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return Runtime(request.param, is_native=True)


# Each thread and task counts what it has done in a place of its own, which outlives it too.
_KILLED = """
import asyncio, mmap, threading

with open("progress", "r+b") as file:
    progress = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")

def count(place, n):
    progress[place] = n  # in one store, where struct.pack_into makes it zero first

@trace
def leaf(n): return n

@trace
def step(n):
    leaf(n)
    for _ in values(n): pass

@trace
def values(n): yield n

def work(place):
    for n in range(10**9):
        step(n)
        count(place, n + 1)

async def wait(place):
    for n in range(10**9):
        await visit(n)
        count(place, n + 1)

@trace
async def visit(n):
    await asyncio.sleep(0)
    leaf(n)

async def main():
    await asyncio.gather(wait(2), wait(3))

for place in (0, 1):
    threading.Thread(target=work, args=(place,), name=f"thread {place}").start()
print("ready", flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("full", ["stop", "overwrite"])
def test_what_was_recorded_before_a_kill_is_there(
    runtime: Runtime, tmp_path: Path, full: str
) -> None:
    random.seed()
    for _ in range(_KILLS):
        done = _kill(runtime, tmp_path, full)
        (path,) = tmp_path.glob("*.ftrace")
        trace = open_trace(path)
        assert list(trace.damage) == []
        assert list(calls(trace).chains.damage) == []
        recorded = told.read(path)
        assert recorded.lost == 0
        if full == "stop":
            _holds_all(recorded, done)
        path.unlink()


def _kill(runtime: Runtime, folder: Path, full: str) -> tuple[int, ...]:
    (folder / "program.py").write_text(HEAD + _KILLED)
    (folder / "progress").write_bytes(bytes(32))
    variables = {"FUNCTRACE": "record", "FUNCTRACE_FULL": full}
    if full == "overwrite":
        variables["FUNCTRACE_MAX_SIZE"] = "400K"
    with subprocess.Popen(
        [runtime.python.executable, "program.py"],
        cwd=folder,
        env=environment(runtime, variables),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(random.random() / 50)
        process.send_signal(signal.SIGKILL)
    return struct.unpack("=4Q", (folder / "progress").read_bytes())


def _holds_all(trace: told.Told, done: tuple[int, ...]) -> None:
    """Every call that was over is told, and of those that came later one at most."""
    by_name = {track.name: track.events for track in trace.tracks}
    for place in (0, 1):
        ended = by_name.get(f"thread {place}", []).count("< step")
        assert done[place] <= ended <= done[place] + 1
    ended = sum(track.events.count("< visit") for track in trace.tracks)
    assert done[2] + done[3] <= ended <= done[2] + done[3] + 1


_FILL = """
@trace
def leaf(): pass
@trace
def fill():
    for _ in range(100_000): leaf()
fill()
print("done")
"""


def test_a_file_that_may_grow_no_more(runtime: Runtime, tmp_path: Path) -> None:
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
    trace = told.read(tmp_path / "x.ftrace")
    assert run.stdout == "done\n"
    assert run.stderr == (
        f"functrace: cannot write the trace: write {tmp_path}/x.ftrace: file too large;"
        " tracing is off\n"
    )
    assert trace.flags & told.WRITE_FAILED
    assert trace.lost > 0
    assert 10_000 < len(trace.tracks[0].events) < 50_000


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk"
)
def test_a_full_disk(runtime: Runtime, tmp_path: Path) -> None:
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
        trace = told.read(disk / "x.ftrace")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert run.stdout == "done\n"
    assert run.stderr == (
        f"functrace: cannot write the trace: write {disk}/x.ftrace: no space left on device;"
        " tracing is off\n"
    )
    assert trace.flags & told.WRITE_FAILED
    assert len(trace.tracks[0].events) > 10_000


def test_a_full_file_stops_or_overwrites(run: Runner) -> None:
    stopped = run(_FILL, FUNCTRACE_MAX_SIZE="500K", FUNCTRACE_OUT="stop.ftrace")
    assert stopped.stderr == (
        "functrace: the trace has reached FUNCTRACE_MAX_SIZE; tracing is off\n"
    )
    assert stopped.trace.flags & told.FULL
    (stopped.folder / "stop.ftrace").unlink()
    overwritten = run(_FILL, FUNCTRACE_MAX_SIZE="500K", FUNCTRACE_FULL="overwrite")
    (path,) = overwritten.folder.glob("*.ftrace")
    assert overwritten.stderr == ""
    assert path.stat().st_size <= 500 << 10
    trace = overwritten.trace
    assert trace.flags == told.OVERWRITES | told.CLEAN
    assert trace.tracks[0].events[-2:] == ["< leaf", "< fill"]
    assert len(trace.tracks[0].events) > 30_000
    assert calls(open_trace(path)).depth.max() == 1  # that fill is open was told again


def test_descriptors_that_the_program_closes(run: Runner) -> None:
    """As daemons do; the next file to be opened must not be taken for the trace."""
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


def test_a_file_that_is_gone_when_it_is_to_grow(run: Runner) -> None:
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


def test_a_fork_that_python_does_not_see(run: Runner) -> None:
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


def test_short_tracks_share_room(run: Runner) -> None:
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


def test_a_snapshot_while_others_write(run: Runner) -> None:
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
    assert [trace.flags for trace in done.traces].count(told.CLEAN) == 1
