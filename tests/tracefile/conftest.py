from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functrace.tracefile import Trace, open_trace
from tests.tracefile.meaning import IMPLEMENTATIONS, implementation


@pytest.fixture(params=IMPLEMENTATIONS)
def each_implementation(request: pytest.FixtureRequest) -> Iterator[str]:
    with implementation(request.param):
        yield request.param


@pytest.fixture
def read(tmp_path: Path, each_implementation: str) -> Callable[[bytes], Trace]:  # noqa: ARG001  # sets it
    """Opens a trace of the bytes given."""

    def opened(content: bytes) -> Trace:
        path = tmp_path / "test.ftrace"
        path.write_bytes(content)
        return open_trace(path)

    return opened
