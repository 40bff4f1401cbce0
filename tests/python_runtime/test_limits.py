"""A write failure is reported once, and the program continues."""

from __future__ import annotations

import os
import sys

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.conftest import Runner, Runtime

_CALLS = """
    @trace
    def f(n):
        return g(n)

    @trace
    def g(n):
        return n

    @trace
    def main():
        for n in range({calls}):
            f(n)
        print("done")

    main()
"""
_OFF = "; tracing is off\n"


def test_full_trace_stops(run: Runner) -> None:
    result = run(_CALLS.format(calls=60_000), FUNCTRACE_MAX_SIZE="512K")
    assert result.stdout == "done\n"
    assert result.stderr == f"functrace: the trace has reached FUNCTRACE_MAX_SIZE{_OFF}"
    assert result.trace.flags & decoder.FULL
    assert next(result.folder.glob("*.ftrace")).stat().st_size <= 512 << 10
    assert result.trace.tracks[0].calls.startswith(">main >f >g <g <f >f")
    assert result.trace.lost >= 1


def test_full_trace_overwrites(run: Runner) -> None:
    result = run(_CALLS.format(calls=60_000), FUNCTRACE_MAX_SIZE="512K", FUNCTRACE_FULL="overwrite")
    assert (result.stdout, result.stderr) == ("done\n", "")
    assert result.trace.flags == decoder.CLEAN | decoder.OVERWRITES
    assert next(result.folder.glob("*.ftrace")).stat().st_size <= 512 << 10
    assert result.trace.tracks[0].calls.endswith(">f >g <g <f <main")
    assert len(result.trace.tracks[0].events) > 10_000


def test_full_disk(run: Runner) -> None:
    """If the system can be made to report one."""
    result = run(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, resource.RLIM_INFINITY))
        """
        + _CALLS.format(calls=60_000).replace("\n    ", "\n        ")
    )
    assert result.stdout == "done\n"
    assert result.stderr.startswith("functrace: cannot write the trace: ")
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith(_OFF)
    assert result.trace.flags & decoder.WRITE_FAILED
    assert result.trace.tracks[0].calls.startswith(">main >f >g <g <f >f")


def test_disk_that_is_full_before_the_ring(run: Runner) -> None:
    """The recorder overwrites what it has."""
    result = run(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, resource.RLIM_INFINITY))
        """
        + _CALLS.format(calls=60_000).replace("\n    ", "\n        "),
        FUNCTRACE_FULL="overwrite",
        FUNCTRACE_MAX_SIZE="64M",
    )
    assert (result.stdout, result.stderr) == ("done\n", "")
    assert result.trace.flags == decoder.CLEAN | decoder.OVERWRITES
    assert next(result.folder.glob("*.ftrace")).stat().st_size <= 700_000
    events = result.trace.tracks[0].events
    assert result.trace.tracks[0].calls.endswith(">f >g <g <f <main")
    assert len(events) > 20_000
    timed = sum(event[0] in "<>" for event in events)
    assert timed + result.trace.overwritten == 4 * 60_000 + 2


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("program.py/x.ftrace", "FUNCTRACE_OUT: program.py: File exists"),
        ("stdout", "FUNCTRACE_OUT: a trace requires a file, but stdout is a stream"),
        ("/dev/stdout", "FUNCTRACE_OUT: a trace requires a file, but /dev/stdout is a stream"),
        ("/dev/fd/2", "FUNCTRACE_OUT: a trace requires a file, but /dev/fd/2 is a stream"),
        (
            "/dev/null",
            "FUNCTRACE_OUT: a trace requires a file, but /dev/null is a pipe or a device",
        ),
    ],
)
def test_invalid_path(run: Runner, out: str, reason: str) -> None:
    result = run(_CALLS.format(calls=1), FUNCTRACE_OUT=out)
    assert result.stdout == "done\n"
    assert result.stderr.startswith(f"functrace: {reason}")
    assert result.stderr.endswith(_OFF)
    assert result.stderr.count("\n") == 1


def test_unused_space_is_cut_off(run: Runner) -> None:
    result = run(_CALLS.format(calls=1))
    assert next(result.folder.glob("*.ftrace")).stat().st_size < 40_000


def test_traces_in_a_folder(run: Runner) -> None:
    first = run(_CALLS.format(calls=1), FUNCTRACE_OUT=".")
    second = run(_CALLS.format(calls=1), FUNCTRACE_OUT="x-%p-%%.ftrace")
    assert len(first.traces) == 1
    assert len(second.traces) == 2
    (other,) = second.folder.glob("x-*-%.ftrace")
    assert other.name == f"x-{decoder.read(other).pid}-%.ftrace"


def test_many_threads_at_once(run: Runner) -> None:
    result = run("""
        import sys, threading
        sys.setswitchinterval(1e-5)

        @trace
        def f(n):
            return n and f(n - 1)

        def work():
            for _ in range(300):
                f(3)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """)
    once = ["> f"] * 4 + ["< f"] * 4
    assert [track.events for track in result.trace.tracks] == [once * 300] * 8


def test_unwritable_text_output(run: Runner) -> None:
    if not os.path.exists("/dev/full"):  # noqa: PTH110  a device
        pytest.skip("no /dev/full here")
    result = run(_CALLS.format(calls=1), FUNCTRACE="text", FUNCTRACE_OUT="/dev/full")
    assert result.stdout == "done\n"
    assert result.stderr.startswith("functrace: cannot write: ")
    assert result.stderr.count("\n") == 1
    bounded = run(
        _CALLS.format(calls=100), FUNCTRACE="text", FUNCTRACE_OUT="x", FUNCTRACE_MAX_SIZE="1K"
    )
    assert (bounded.folder / "x").stat().st_size <= 1024
    assert bounded.stderr == (
        f"functrace: cannot write: the file has reached FUNCTRACE_MAX_SIZE{_OFF}"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("full", ["stop", "overwrite"])
def test_trace_does_not_stay_in_memory(runtime: Runtime, run: Runner, full: str) -> None:
    """Leak tests and servers that replace large workers measure their own memory."""
    if not runtime.records_exceptions:
        pytest.skip("without texts it takes long to fill a trace")
    result = run(
        """
        import threading

        @trace
        def f(): raise ValueError("x" * 200)

        def work():
            for _ in range(20_000):
                try: f()
                except ValueError: pass

        def mapped():
            lines = open("/proc/self/status").read().splitlines()
            return sum(int(line.split()[1]) for line in lines if line[:6] in ("RssFil", "RssShm"))

        before = mapped()
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(mapped() - before)
        """,
        FUNCTRACE_FULL=full,
    )
    (path,) = result.folder.glob("*.ftrace")
    assert path.stat().st_size > 8 << 20
    assert int(result.stdout) < 5 << 10  # KB: the part that is being written, and those left


def test_python_without_ctypes(run: Runner, runtime: Runtime) -> None:
    """As built without libffi; the fallback requires ctypes."""
    result = run('\n    import sys\n    sys.modules["_ctypes"] = None\n' + _CALLS.format(calls=1))
    assert result.stdout == "done\n"
    if runtime.is_native:
        assert (result.stderr, len(result.traces)) == ("", 1)
    else:
        reason = "import of _ctypes halted; None in sys.modules"
        assert (
            result.stderr == f"functrace: the recorder in Python cannot be loaded: {reason}{_OFF}"
        )
