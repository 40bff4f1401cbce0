"""Build and run the Go sender."""

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
    """The sender cannot be built."""


def build(go: Go) -> Path:
    """Return the program, which is built only once per version of its sources.

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
    """Download the modules that the sender is built from.

    Raises:
        MissingError: the module proxy does not answer.
    """
    if go.run("mod", "download", cwd=SOURCES).returncode:
        raise MissingError("no Go sender: the module proxy does not provide all modules")


def environment(endpoint: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the sender's environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**kept, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **(more or {})}


def send(
    program: Path, file: Path, endpoint: str, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Send the trace of a program that has ended."""
    return subprocess.run(
        [str(program), "--foreground", str(file)],
        env=environment(endpoint, more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
