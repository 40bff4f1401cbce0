from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import psutil
import pytest

from functrace.tracefile.ending import start_ticks_of
from functrace.watch.process_figures import ProcessFigures, ProcessMeter


class _Times(NamedTuple):
    user: float
    system: float


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")


def own_start() -> int:
    return start_ticks_of(os.getpid()) or 0


def test_figures_of_this_process() -> None:
    figures = ProcessMeter(os.getpid(), own_start()).measure()
    assert (figures.rss_bytes or 0) > 1 << 20
    assert figures.threads == len(list(Path("/proc/self/task").iterdir()))
    assert (figures.threads or 0) >= threading.active_count()


class Stub:
    """Process whose CPU times are given."""

    times: Iterator[_Times]

    def __init__(self, pid: int) -> None:
        assert pid == os.getpid()

    def oneshot(self) -> AbstractContextManager[None]:
        return nullcontext()

    def cpu_times(self) -> _Times:
        return next(self.times)

    def memory_info(self) -> Any:
        return SimpleNamespace(rss=7)

    def num_threads(self) -> int:
        return 3


def test_cpu_is_that_since_the_last_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    Stub.times = iter([_Times(5.0, 1.0), _Times(5.5, 2.0), _Times(5.5, 2.0), _Times(1.0, 0.0)])
    monkeypatch.setattr(psutil, "Process", Stub)
    now = iter([10.0, 12.0, 13.0, 14.0])
    meter = ProcessMeter(os.getpid(), own_start(), lambda: next(now))
    found = [meter.measure() for _ in range(3)]
    assert [figures.cpu_cores for figures in found] == [0.75, 0.0, 0.0]
    assert (found[0].rss_bytes, found[0].threads) == (7, 3)


def test_a_process_id_of_another_process_has_no_figures() -> None:
    assert ProcessMeter(os.getpid(), own_start() + 1).measure() == ProcessFigures()
    assert ProcessMeter(1 << 22, 1).measure() == ProcessFigures()
