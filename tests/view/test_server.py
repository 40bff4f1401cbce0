"""Who can read what the viewer serves, and how."""

from __future__ import annotations

import gzip
import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from functrace.view import server
from functrace.view.access import Access
from functrace.view.query import Query
from tests.cli import faulty
from tests.support.waiting import PATIENCE
from tests.view.serving import Viewer


def test_the_address_has_a_token(viewer: Viewer) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/", viewer.url)


def test_only_the_loopback_interface_is_listened_on(viewer: Viewer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.2", viewer.port))  # fails if the server listens on all addresses


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/api/session",
        "/favicon.ico",
        "{base}x",
        "{base}../app.js",
        "{base}..%2fserver.py",
        "{base}%2e%2e/%2e%2e/etc/passwd",
        "{base}/etc/passwd",
        "{base}api%2f..%2f..%2fserver.py",
        "/{wrong}/api/session",
        "{without_slash}",
        "http://127.0.0.1:{port}{base}api/session",
        "*",
    ],
)
def test_other_addresses_do_not_exist(viewer: Viewer, target: str) -> None:
    wrong = "A" + viewer.base[2:-1] if viewer.base[1] != "A" else "B" + viewer.base[2:-1]
    target = target.format(
        base=viewer.base, wrong=wrong, port=viewer.port, without_slash=viewer.base[:-1]
    )
    reply = viewer.request(target)
    assert (reply.status, reply.content) == (404, b"")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_names_of_the_server(viewer: Viewer, name: str) -> None:
    host = f"{name}:{viewer.port}"
    reply = viewer.request(f"{viewer.base}api/session", Host=host, Origin=f"http://{host.lower()}")
    assert reply.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1:{port}.evil.example"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": ""},
    ],
)
def test_requests_by_another_name_or_page_are_refused(
    viewer: Viewer, headers: dict[str, str]
) -> None:
    given = {name: value.format(port=viewer.port) for name, value in headers.items()}
    reply = viewer.request(f"{viewer.base}api/session", **given)
    assert (reply.status, reply.content) == (404, b"")


@pytest.mark.parametrize(
    ("port", "host", "is_answered"),
    [
        (80, "127.0.0.1", True),
        (80, "localhost", True),
        (80, "127.0.0.1:80", True),
        (80, "evil.example", False),
        (81, "127.0.0.1", False),
    ],
)
def test_browsers_leave_out_port_80(port: int, host: str, is_answered: bool) -> None:
    access = Access(port)
    path = access.path_of(f"/{access.token}/api", [host], [f"http://{host}"])
    assert path == ("api" if is_answered else None)


def test_an_analysis_that_fails_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    analysed = threading.Event()

    class Damaged:
        def prepare(self) -> None:
            analysed.set()
            raise ValueError("damaged")

        def answer(self, name: str, query: Query) -> None:
            raise AssertionError(name, query)

    with server.Server(Damaged()) as started:
        monkeypatch.setattr(started, "serve_forever", lambda: analysed.wait(PATIENCE))
        before = {*threading.enumerate()}
        started.run()
        for thread in {*threading.enumerate()} - before:
            thread.join(PATIENCE)
    assert analysed.is_set()
    assert capsys.readouterr().err == ""


def test_two_host_headers_are_refused(viewer: Viewer) -> None:
    host = f"Host: 127.0.0.1:{viewer.port}\r\n"
    request = f"GET {viewer.base}api/session HTTP/1.1\r\n{host}{host}\r\n"
    assert _raw(viewer, request).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_only_reading_is_allowed(viewer: Viewer, method: str) -> None:
    assert viewer.request(f"{viewer.base}api/session", method).status == 405
    assert viewer.request("/api/session", method).status == 404


def test_the_content_of_a_request_is_not_taken_for_a_request(viewer: Viewer) -> None:
    host = f"Host: 127.0.0.1:{viewer.port}\r\n"
    inner = f"GET {viewer.base}api/session HTTP/1.1\r\n{host}\r\n"
    for length in (f"Content-Length: {len(inner)}", "Transfer-Encoding: chunked"):
        request = f"POST {viewer.base}api/session HTTP/1.1\r\n{host}{length}\r\n\r\n{inner}"
        replies = _raw(viewer, request)
        assert replies.startswith(b"HTTP/1.1 405 ")
        assert replies.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("request_line", ["\x00\xff\r\n", "GET\r\n", "GET / HTTP/9.9\r\n", "\r\n"])
def test_what_is_not_http_is_refused(viewer: Viewer, request_line: str) -> None:
    reply = _raw(viewer, f"{request_line}\r\n")
    assert b"Error" not in reply
    assert viewer.get("session")["traces"]


def _raw(viewer: Viewer, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", viewer.port), timeout=PATIENCE) as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("path", ["", "api/session", "api/none", "x"])
def test_headers(viewer: Viewer, path: str) -> None:
    headers = viewer.request(viewer.base + path).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers


def test_head_has_no_content(viewer: Viewer) -> None:
    reply = viewer.request(f"{viewer.base}api/session", "HEAD")
    assert (reply.status, reply.content) == (200, b"")
    assert int(reply.headers["Content-Length"]) > 0


def test_large_answers_are_compressed_for_those_who_accept_it(viewer: Viewer) -> None:
    target = f"{viewer.base}api/triage"
    plain = viewer.request(target)
    packed = viewer.request(target, **{"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    refused = viewer.request(target, **{"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


def test_several_requests_on_one_connection(viewer: Viewer) -> None:
    host = f"Host: 127.0.0.1:{viewer.port}\r\n"
    request = f"GET {viewer.base}api/session HTTP/1.1\r\n{host}\r\n"
    assert _raw(viewer, request * 3).count(b"HTTP/1.1 200 OK") == 3


def test_several_windows_at_a_time(viewer: Viewer) -> None:
    asked: list[tuple[str, dict[str, object]]] = [
        ("triage", {}),
        ("tracks", {}),
        ("window", {"tracks": "0,1,2", "px": 500}),
        ("flame", {"direction": "callers"}),
        ("chains", {"function": "store.*"}),
        ("calls", {"sort": "duration"}),
    ]
    expected = [viewer.get(name, **parameters) for name, parameters in asked]
    with ThreadPoolExecutor(16) as threads:
        found = [
            threads.submit(viewer.get, name, **parameters)
            for _ in range(5)
            for name, parameters in asked
        ]
    assert [each.result() for each in found] == expected * 5


def test_errors_are_sentences(viewer: Viewer) -> None:
    reply = viewer.ask("none")
    assert (reply.status, reply.value) == (404, {"error": "there is no such answer"})
    reply = viewer.ask("chains")
    assert (reply.status, reply.value) == (400, {"error": "the parameter function is missing"})
    reply = viewer.ask("chains", function="a", min_duration="x")
    assert reply.value == {"error": "the parameter min_duration must be a number"}
    assert viewer.request(f"{viewer.base}api/session?{'a&' * 100}").status == 400


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    faulty.faulty(tmp_path / "faulty.ftrace")
    words = [sys.executable, "-m", "functrace", "view", "--no-open", "faulty.ftrace"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE)
    assert (rest, errors, process.returncode) == ("\n", "", 0)


def test_a_port_that_is_taken(viewer: Viewer, tmp_path: Path) -> None:
    faulty.faulty(tmp_path / "faulty.ftrace")
    words = ["view", "--no-open", "--port", str(viewer.port), "faulty.ftrace"]
    command = [sys.executable, "-m", "functrace", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    message = f"functrace: --port {viewer.port}: Address already in use\n"
    assert (done.stdout, done.stderr, done.returncode) == ("", message, 1)
