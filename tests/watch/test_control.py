"""The API of a running watcher, over its Unix socket and over a loopback port."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from functrace.errors import FunctraceError
from functrace.watch import control_client, control_server
from functrace.watch.state_folder import StateFolder
from functrace.watch.watcher import Watcher
from tests.watch.made_up import SHOP, configured, figures

TOKEN = "a secret of the test"


class _One:
    """One process, which runs on."""

    def poll(self) -> Iterator[Any]:
        yield figures(5)


@contextmanager
def _running(state: StateFolder, listen: str | None = None) -> Iterator[Watcher]:
    """Run a watcher in a thread; its bundles cannot be saved."""
    state.create()
    with state.locked():
        watcher = Watcher(_One(), configured(["cpu"]), "/dev/null/out", state, lambda _: None)
        ended = threading.Event()

        def steps() -> None:
            while not ended.is_set():
                watcher.step()
                ended.wait(0.01)

        thread = threading.Thread(target=steps)
        watcher.step()
        thread.start()
        try:
            with control_server.serving(watcher, state.path, listen, TOKEN):
                yield watcher
        finally:
            ended.set()
            thread.join()


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_status_and_processes(state: StateFolder) -> None:
    with _running(state):
        assert control_client.find_watchers(state.path, None) == [state.path]
        (process,) = control_client.request(state.path, "/v1/processes")
        assert (process["name"], process["pid"], process["live_tracks"]) == ("shop", 4711, 20)
        status = control_client.request(state.path, "/v1/status")
        (trigger,) = status["triggers"]
        assert (trigger["trigger"], trigger["value"], trigger["unit"]) == ("cpu", 0.1, "cores")
        with pytest.raises(FunctraceError, match="no such page; there are /v1/status"):
            control_client.request(state.path, "/v2")
    assert control_client.find_watchers(state.path, None) == []
    with pytest.raises(FunctraceError, match="the watcher does not answer"):
        control_client.request(state.path, "/v1/status")


def test_a_dump_by_hand(state: StateFolder) -> None:
    with _running(state):
        answer = control_client.request(state.path, "/v1/dump", {"target": SHOP.pid})
        assert list(state.pending()) == answer["bundles"]
        bundles = control_client.request(state.path, "/v1/bundles")
        assert [bundle["id"] for bundle in bundles] == answer["bundles"]
        assert bundles[0]["firing"]["trigger"] == "by-hand"
        with pytest.raises(FunctraceError, match="car: no process or group of this name"):
            control_client.request(state.path, "/v1/dump", {"target": "car"})


def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / ("a" * 100) / "state")
    with _running(state):
        assert control_client.request(state.path, "/v1/processes")


def test_only_the_user_can_reach_the_socket(state: StateFolder) -> None:
    with _running(state):
        mode = (state.path / control_server.SOCKET).stat().st_mode
        assert mode & 0o777 == 0o600


def _ask(
    port: int, method: str = "GET", page: str = "/v1/status", **headers: str
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = headers.pop("body", None)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, page, body, {"Authorization": f"Bearer {TOKEN}", **names})
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


def test_a_port_requires_the_token_and_a_host_of_this_machine(
    state: StateFolder, port: int
) -> None:
    with _running(state, f"127.0.0.1:{port}"):
        assert _ask(port)[0] == 200
        assert _ask(port, Host=f"localhost:{port}")[0] == 200
        wrong = {"error": "the token is missing or wrong"}
        assert _ask(port, Authorization="Bearer x") == (401, wrong)
        assert _ask(port, Authorization="Bearer \xff") == (401, wrong)
        assert _ask(port, Authorization="") == (401, wrong)
        assert _ask(port, Host="attacker.example") == (
            403,
            {"error": "the Host header is not that of this machine"},
        )
        assert _ask(port, Host=f"127.0.0.1.attacker.example:{port}")[0] == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("[]", 400),
        ("{}", 400),
        ('{"target": ""}', 400),
        ('{"target": true}', 400),
        ('{"target": ["shop"]}', 400),
        ("[" * 4000, 400),
        ('{"target": "' + "a" * 5000 + '"}', 413),
        ('{"target": "car"}', 404),
        ('{"target": "shop"}', 200),
    ],
)
def test_bodies_are_checked(state: StateFolder, port: int, body: str, status: int) -> None:
    with _running(state, f"127.0.0.1:{port}"):
        assert _ask(port, "POST", "/v1/dump", body=body)[0] == status
        assert _ask(port)[0] == 200


def test_a_length_that_is_no_number(state: StateFolder, port: int) -> None:
    with _running(state, f"127.0.0.1:{port}"):
        for length in ("-1", "x", "9" * 30, "²"):
            with socket.create_connection(("127.0.0.1", port), 30) as client:
                head = f"POST /v1/dump HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
                client.sendall(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode("latin1"))
                assert client.recv(100).split()[1] in (b"411", b"413")


def test_a_port_in_use(state: StateFolder, port: int) -> None:
    message = f"--listen 127.0.0.1:{port}: Address already in use"
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(FunctraceError, match=message), _running(state, f"127.0.0.1:{port}"):
            pass


def test_the_token_stays(state: StateFolder) -> None:
    state.create()
    token = state.token()
    assert len(token) >= 32
    assert state.token() == token
    assert (state.path / "token").stat().st_mode & 0o777 == 0o600
