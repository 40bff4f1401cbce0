from __future__ import annotations

import os

import pytest

from tests.support import toolchains


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
