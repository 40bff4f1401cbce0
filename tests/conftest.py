from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.otlp import collector
from tests.support import toolchains

# The suite tries the same examples on every run; `make fuzz` looks for new ones.
settings.register_profile("suite", derandomize=True, print_blob=True)
settings.register_profile("search", print_blob=True)
settings.load_profile("suite")

# What a shell starts in the background ignores interrupts, and so would all programs of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite what golden files expect")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten; never where nobody reads the change."""
    wanted = bool(request.config.getoption("--golden"))
    if wanted and os.environ.get("CI"):
        pytest.fail("golden files are not rewritten in CI")
    return wanted


@pytest.fixture(scope="session")
def go() -> toolchains.Go:
    found = toolchains.newest()
    if found is None:
        pytest.skip("no Go toolchain: run make test, or put go on PATH")
    return found


@pytest.fixture(scope="session")
def collector_program(go: toolchains.Go) -> Path:
    """OpenTelemetry's."""
    try:
        return collector.build(go)
    except collector.MissingError as error:
        pytest.skip(str(error))
