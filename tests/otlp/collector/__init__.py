"""A real OpenTelemetry Collector, built from the modules of the Go module proxy.

    python -m tests.otlp.collector

builds it and prints where it is. It stays in build/ until its sources change.
"""

from __future__ import annotations

import fcntl
import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE

_HERE = Path(__file__).resolve().parent
_BUILD = _HERE.parents[2] / "build" / "collector"
_READY = "Everything is ready."
_TAKEN = "address already in use"


class MissingError(Exception):
    """It cannot be built; says why in a sentence."""


@dataclass(frozen=True)
class Collector:
    """One that runs, and where it takes OTLP."""

    http: str
    grpc: str


def build(go: Go) -> Path:
    """The program, built if it has not been.

    Raises:
        MissingError: the toolchain is too old, or the module proxy does not answer.
    """
    files = [_HERE / name for name in ("main.go", "go.mod", "go.sum")]
    sources = b"".join(file.read_bytes() for file in files)
    oldest = re.search(rb"^go (\d+)\.(\d+)", sources, re.MULTILINE)
    if oldest and go.release < (int(oldest[1]), int(oldest[2])):
        raise MissingError(f"the collector wants Go {oldest[1].decode()}.{oldest[2].decode()}")
    program = _BUILD / blake2b(sources, digest_size=8).hexdigest()
    _BUILD.mkdir(parents=True, exist_ok=True)
    with (_BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            done = go.run("build", "-o", str(program), ".", cwd=_HERE)
            (_BUILD / "build.log").write_text(done.stderr)
            if done.returncode:
                raise MissingError(
                    "no collector, the Go module proxy does not answer for all of it"
                )
    return program


@contextmanager
def running(program: Path, hands_on_to: str) -> Iterator[Collector]:
    """A collector that sends on at once what it takes, over HTTP."""
    while True:
        process, collector = _start(program, hands_on_to)
        if _is_ready(process):
            break
    try:
        yield collector
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _start(program: Path, hands_on_to: str) -> tuple[subprocess.Popen[str], Collector]:
    http, grpc = _free_ports()
    takes = {
        "http": {"endpoint": f"127.0.0.1:{http}"},
        "grpc": {"endpoint": f"127.0.0.1:{grpc}"},
    }
    hands = {"endpoint": hands_on_to, "sending_queue": {"enabled": False}}
    settings = {
        "receivers": {"otlp": {"protocols": takes}},
        "exporters": {"otlp_http": hands},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp_http"]}},
        },
    }
    command = [str(program), "--config", f"yaml:{json.dumps(settings)}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    return process, Collector(f"http://127.0.0.1:{http}", f"http://127.0.0.1:{grpc}")


def _is_ready(process: subprocess.Popen[str]) -> bool:
    """Whether it has come up; not where another process has taken one of its ports meanwhile."""
    said = []
    for line in process.stderr or ():
        said.append(line)
        if _READY in line:
            return True
    process.communicate()
    assert _TAKEN in "".join(said), "".join(said)
    return False


def _free_ports() -> list[int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]
