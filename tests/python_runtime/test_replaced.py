"""The runtime uses the real file system and clock after a test has replaced them in all modules."""

from __future__ import annotations

from tests.python_runtime.conftest import Runner

_PROGRAM = """
    import os, sys, threading, time

    class Other:
        def __getattr__(self, name):
            raise AssertionError(name)

    def other_time():
        return 1 << 61

    @trace
    def work(): pass

    def replaced():
        # As pyfakefs and freezegun do; they leave out what they would break for themselves.
        for module in list(sys.modules.values()):
            if module.__name__ in ("os", "time", "posixpath", "genericpath", "functools"):
                continue
            for name, value in list(vars(module).items()):
                if value is os_ or value is time_:
                    yield module, name, value, Other()
                elif value is time_.monotonic_ns:
                    yield module, name, value, other_time

    os_, time_ = os, time
    work()
    places = list(replaced())
    for module, name, _, other in places:
        setattr(module, name, other)
    work()
    @trace
    def inner(): pass
    inner()
    for n in range(5000):
        work()
    for module, name, value, _ in places:
        setattr(module, name, value)
    work()
"""


def test_calls_are_recorded(run: Runner) -> None:
    (track,) = run(_PROGRAM).trace.tracks
    assert track.events.count("> work") == 5003
    assert track.ticks[-1] - track.ticks[0] < 1 << 60


def test_calls_are_printed(run: Runner) -> None:
    done = run(_PROGRAM, FUNCTRACE="text", FUNCTRACE_OUT="calls")
    assert (done.folder / "calls").read_bytes().count(b"->__main__.work") == 5003
