from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from functrace.export.otlp import Clock
from functrace.tracefile import Trace, open_trace
from tests.otlp.program import Program


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine is set up to send stays out of it."""
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.fixture
def traced(tmp_path: Path) -> Callable[[Program], Trace]:
    """The trace of a program, opened."""

    def opened(program: Program) -> Trace:
        path = tmp_path / "x.ftrace"
        path.write_bytes(program.written())
        return open_trace(path)

    return opened


class Waits(list[float]):
    """A clock on which waiting takes no time; what was waited for is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(now=lambda: sum(self), sleep=self.append)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def small_requests(monkeypatch: pytest.MonkeyPatch) -> int:
    """Requests have so many spans."""
    monkeypatch.setattr("functrace.export.otlp.request_encoder._SPANS", 100)
    return 100
