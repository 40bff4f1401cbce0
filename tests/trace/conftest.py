from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functrace import _native
from functrace.trace import Trace, open_trace
from tests.trace.meaning import TWINS, twin


@pytest.fixture(params=TWINS)
def one_twin(request: pytest.FixtureRequest) -> Iterator[str]:
    with twin(request.param):
        if request.param == "native" and _native.library() is None:
            pytest.skip("the reader's C part is not built")
        yield request.param


@pytest.fixture
def read(tmp_path: Path, one_twin: str) -> Callable[[bytes], Trace]:  # noqa: ARG001  # sets it
    """Opens a trace of the bytes given."""

    def opened(content: bytes) -> Trace:
        path = tmp_path / "test.ftrace"
        path.write_bytes(content)
        return open_trace(path)

    return opened
