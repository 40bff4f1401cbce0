from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.live_go.sender import MissingError, build
from tests.support.toolchains import Go


@pytest.fixture(scope="session")
def sender(go: Go) -> Path:
    try:
        return build(go)
    except MissingError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the machine's OpenTelemetry settings."""
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)
