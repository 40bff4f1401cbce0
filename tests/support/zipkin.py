"""A real Zipkin server: the executable jar of Maven Central, with its storage in memory."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.missing import MissingError
from tests.support.pythons import ROOT
from tests.support.waiting import PATIENCE, wait_until

_VERSION = "3.4.4"
_FOLDER = ROOT / "build" / "zipkin"
_JAR = _FOLDER / f"zipkin-server-{_VERSION}-exec.jar"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Span = dict[str, Any]


class Zipkin:
    """A running server.

    Attributes:
        address: its host and port.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    @property
    def endpoint(self) -> str:
        """URL to which spans are posted."""
        return f"http://{self.address}/api/v2/spans"

    def traces(self) -> list[list[Span]]:
        """Return all traces, each a list of spans."""
        found: list[list[Span]] = self._get("/api/v2/traces?limit=100000&lookback=1000000000000")
        return found

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace; none if it is unknown."""
        try:
            found: list[Span] = self._get(f"/api/v2/trace/{trace_id}")
        except urllib.error.HTTPError:
            return []
        return found

    def _get(self, path: str) -> Any:
        with _OPENER.open(f"http://{self.address}{path}", timeout=PATIENCE) as response:
            return json.load(response)

    def is_up(self) -> bool:
        """Return whether the server answers."""
        try:
            return bool(self._get("/health")["status"] == "UP")
        except OSError:
            return False


def find() -> Path:
    """Return the jar.

    Raises:
        MissingError: there is no Java, or no jar.
    """
    if shutil.which("java") is None:
        raise MissingError("no java on PATH to run a Zipkin server")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with open(_FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _JAR.exists():
            _download()
    return _JAR


def _download() -> None:
    if shutil.which("mvn") is None:
        raise MissingError("no mvn on PATH to get a Zipkin server from Maven Central")
    command = ["mvn", "--batch-mode", "--quiet", "dependency:copy"]
    command += [f"-Dartifact=io.zipkin:zipkin-server:{_VERSION}:jar:exec"]
    command += [f"-DoutputDirectory={_FOLDER}"]
    try:
        done = subprocess.run(
            command, cwd=_FOLDER, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.SubprocessError as error:
        raise MissingError(f"Maven Central does not answer: {error}") from None
    if done.returncode or not _JAR.exists():
        raise MissingError("no Zipkin server: Maven Central does not have it, or does not answer")


@contextmanager
def running(folder: Path) -> Iterator[Zipkin]:
    """Run a server, with its log in a folder.

    Raises:
        MissingError: there is no server here.
    """
    jar = find()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "QUERY_PORT": str(port), "STORAGE_TYPE": "mem"}
    with (folder / "zipkin.log").open("wb") as log:
        process = subprocess.Popen(
            ["java", "-Xmx256m", "-jar", str(jar)], env=environment, stdout=log, stderr=log
        )
    server = Zipkin(f"127.0.0.1:{port}")
    try:
        wait_until(lambda: server.is_up() or process.poll() is not None)
        if process.poll() is not None:
            raise MissingError(f"Zipkin does not run with this java: {_last_line(folder)}")
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _last_line(folder: Path) -> str:
    lines = (folder / "zipkin.log").read_text().strip().splitlines()
    return lines[-1] if lines else "it printed nothing"


def wait_for_spans(server: Zipkin, count: int) -> list[list[Span]]:
    """Return all traces once they have so many spans."""
    found: list[list[Span]] = []
    end = time.monotonic() + PATIENCE
    while sum(map(len, found)) < count and time.monotonic() < end:
        time.sleep(0.1)
        found = server.traces()
    return found
