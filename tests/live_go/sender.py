"""Builds the sender, and runs it."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE

SOURCES = Path(__file__).resolve().parents[2] / "runtime_go" / "otlp"
_BUILD = SOURCES.parents[1] / "build" / "sender"


class MissingError(Exception):
    """It cannot be built; says why in a sentence."""


def build(go: Go) -> Path:
    """The program, built if it has not been.

    Raises:
        MissingError: the module proxy does not answer.
    """
    digest = blake2b(str(go.release).encode(), digest_size=8)
    for file in sorted(SOURCES.rglob("*")):
        if file.suffix == ".go" or file.name in ("go.mod", "go.sum"):
            digest.update(file.read_bytes())
    program = _BUILD / digest.hexdigest()
    _BUILD.mkdir(parents=True, exist_ok=True)
    with (_BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            require_modules(go)
            built = go.run("build", "-o", str(program), ".", cwd=SOURCES)
            assert built.returncode == 0, built.stderr
    return program


def require_modules(go: Go) -> None:
    """Have the modules that the sender is built of.

    Raises:
        MissingError: the module proxy does not answer.
    """
    if go.run("mod", "download", cwd=SOURCES).returncode:
        raise MissingError("no sender, the Go module proxy does not answer for all of it")


def environment(endpoint: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the sender is started with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**kept, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **(more or {})}


def send(
    program: Path, file: Path, endpoint: str, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Send all of a file whose program has ended."""
    return subprocess.run(
        [str(program), "--foreground", str(file)],
        env=environment(endpoint, more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
