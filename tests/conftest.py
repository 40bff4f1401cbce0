from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.otlp import collector
from tests.support import toolchains

# The suite tries the same examples on every run; `make fuzz` searches for new ones.
# There is no deadline, since the machine may be slow.
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("suite", derandomize=True, print_blob=True, **PATIENT)
settings.register_profile("search", print_blob=True, **PATIENT)
settings.load_profile("suite")

# Thousands of programs start here; each would compile functrace again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A background job of a shell ignores interrupts; the tests' programs would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden", action="store_true", help="rewrite expected outputs in golden files"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Run a test that is given by name regardless of its marker."""
    if any("::" in argument for argument in config.args):
        config.option.markexpr = ""


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> bool:
    """Whether to rewrite golden files; never in CI, where nobody reviews the change."""
    is_wanted = bool(request.config.getoption("--golden"))
    if is_wanted and os.environ.get("CI"):
        pytest.fail("--golden is not allowed in CI")
    return is_wanted


@pytest.fixture(scope="session")
def go() -> toolchains.Go:
    found = toolchains.usual()
    if found is None:
        pytest.skip("no Go toolchain: run make test, or put go on PATH")
    return found


@pytest.fixture(scope="session")
def functrace_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cache that all workers share, initially empty, so that nothing is instrumented twice."""
    return _shared(tmp_path_factory, "functrace-cache")


def _shared(factory: pytest.TempPathFactory, name: str) -> Path:
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    base = factory.getbasetemp()
    folder = (base.parent if is_worker else base) / name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def collector_program(go: toolchains.Go) -> Path:
    """Path of the OpenTelemetry Collector."""
    try:
        return collector.build(go)
    except collector.MissingError as error:
        pytest.skip(str(error))
