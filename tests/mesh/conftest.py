"""The example mesh, Envoy, and servers for spans; skipped with the reason where one is missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import envoy, jaeger, toolchains, zipkin
from tests.support.jaeger import Jaeger
from tests.support.missing import MissingError
from tests.support.pythons import ROOT
from tests.support.zipkin import Zipkin


@dataclass(frozen=True)
class Mesh:
    """A finished run of the example."""

    output: str
    traces: Path


@pytest.fixture
def run_mesh(tmp_path: Path) -> Callable[..., Mesh]:
    """Run examples/mesh with arguments."""
    if toolchains.usual() is None:
        pytest.skip("no Go toolchain")
    pytest.importorskip("werkzeug", reason="werkzeug is not installed, the server of payments")

    def run(*arguments: str) -> Mesh:
        command = [sys.executable, str(ROOT / "examples" / "mesh" / "run.py"), *arguments]
        out = tmp_path / "mesh"
        done = subprocess.run(
            [*command, "--out", str(out)],
            env=toolchains.usual().environment(),  # type: ignore[union-attr]
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return Mesh(done.stdout, out / "traces")

    return run


@pytest.fixture(scope="session")
def envoy_program() -> str:
    """The path of Envoy."""
    try:
        return str(envoy.find())
    except MissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def zipkin_server(tmp_path: Path) -> Iterator[Zipkin]:
    """A Zipkin server."""
    try:
        with zipkin.running(tmp_path) as server:
            yield server
    except MissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def jaeger_server(tmp_path: Path) -> Iterator[Jaeger]:
    """A Jaeger."""
    go = toolchains.usual()
    if go is None:
        pytest.skip("no Go toolchain")
    try:
        program = jaeger.build(go)
    except MissingError as error:
        pytest.skip(str(error))
    with jaeger.running(program, tmp_path) as server:
        yield server
