from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.conftest import HEAD, Runtime, environment
from tests.support.libraries import folder_of
from tests.support.waiting import PATIENCE

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


@dataclass
class Peer:
    """A server that keeps the bytes of each request, and answers them all alike."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    response: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, status: str) -> None:
        self.response = self.response.replace(b"200 OK", status.encode())

    def headers(self, at: int = -1) -> dict[str, str]:
        """The headers of a request, with names in lower case."""
        lines = self.requests[at].decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def _serve(listener: socket.socket, peer: Peer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            data = b""
            while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            while length and len(body) < int(length[1]) and (piece := connection.recv(65536)):
                body, data = body + piece, data + piece
            peer.requests.append(data)
            connection.sendall(peer.response)


@pytest.fixture
def peer() -> Iterator[Peer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Peer(listener.getsockname()[1])
        threading.Thread(target=_serve, args=(listener, found), daemon=True).start()
        yield found
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def library_environment(runtime: Runtime, group: str, variables: dict[str, str]) -> dict[str, str]:
    found = environment(runtime, variables)
    libraries = folder_of(runtime.python, group)
    if libraries is not None:
        found["PYTHONPATH"] += os.pathsep + str(libraries)
    return found


@dataclass
class Service:
    """A program that serves requests."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def send(self, data: bytes) -> bytes:
        """Send bytes and return all that is answered until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(data)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer

    def get(self, path: str, *headers: str, method: str = "GET") -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: shop", "Connection: close", *headers, "", ""]
        return self.send("\r\n".join(lines).encode("latin-1"))

    def stop(self) -> list[decoder.Trace]:
        """End the program and return its traces."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(PATIENCE)
        paths = sorted(self.folder.glob("*.ftrace"))
        return [decoder.read(path) for path in paths]


Starter = Callable[..., "Service"]


@pytest.fixture
def start(runtime: Runtime, tmp_path: Path) -> Iterator[Starter]:
    """Start HEAD and a program that serves on the port of its first argument."""
    services: list[Service] = []

    def start(program: str, *, group: str = "services", **variables: str) -> Service:
        folder = tmp_path / str(len(services))
        folder.mkdir()
        (folder / "program.py").write_text(HEAD + textwrap.dedent(program), encoding="utf-8")
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
        with open(folder / "stderr", "wb") as stderr:
            process = subprocess.Popen(
                [runtime.python.executable, "program.py", str(port)],
                cwd=folder,
                env=library_environment(runtime, group, {"FUNCTRACE": "record", **variables}),
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        service = Service(port, folder, process)
        services.append(service)
        _wait_for(service)
        return service

    yield start
    for service in services:
        with suppress(ProcessLookupError):
            os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait(PATIENCE)


def _wait_for(service: Service) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and service.process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", service.port), timeout=1).close()
            return
        time.sleep(0.02)
    raise AssertionError((service.folder / "stderr").read_text(encoding="utf-8"))


def run_client(
    runtime: Runtime,
    folder: Path,
    program: str,
    *,
    group: str = "services",
    message: str = "",
    **variables: str,
) -> list[decoder.Trace]:
    """Run HEAD and a program to its end, and return its traces; ``message`` is functrace's."""
    folder.mkdir(exist_ok=True)
    (folder / "program.py").write_text(HEAD + textwrap.dedent(program), encoding="utf-8")
    done = subprocess.run(
        [runtime.python.executable, "program.py"],
        cwd=folder,
        env=library_environment(runtime, group, {"FUNCTRACE": "record", **variables}),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    messages = [line for line in done.stderr.splitlines() if line.startswith("functrace")]
    assert messages == ([message] if message else []), done.stderr
    return [decoder.read(path) for path in sorted(folder.glob("*.ftrace"))]
