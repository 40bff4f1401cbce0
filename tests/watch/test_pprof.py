from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from functrace.errors import FunctraceError
from functrace.watch.bundle import BundleSettings, save_bundle
from functrace.watch.http_request import send
from functrace.watch.pprof_profiles import PprofSettings, save_profiles
from tests.support import toolchains
from tests.support.http_server import serve
from tests.support.waiting import PATIENCE
from tests.watch import firings

PROFILES = ("goroutine", "heap", "cpu")
_SERVER = """
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
	go func() {
		for sum := 0; ; sum++ {
		}
	}()
	fmt.Println("at", listener.Addr())
	io.ReadAll(os.Stdin)
}
"""


def test_profiles_of_a_go_program_are_in_the_bundle(
    go: toolchains.Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in go.environment().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "main.go").write_text(_SERVER)
    subprocess.run(
        ["go", "build", "-o", "server", "main.go"], cwd=tmp_path, check=True, timeout=PATIENCE
    )
    process = subprocess.Popen(
        [tmp_path / "server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().split()[1]
    settings = BundleSettings(pprof_url=f"http://{address}", pprof=PprofSettings(cpu_seconds=1))
    firing = firings.firing(firings.ring(tmp_path / "rings"))
    saved = save_bundle(firing, tmp_path / "out", settings)
    process.communicate("")
    for name in PROFILES:
        content = gzip.decompress((saved.folder / f"pprof-{name}.pb.gz").read_bytes())
        assert (b"inuse_space" if name == "heap" else b"main.main") in content
        picture = saved.folder / f"pprof-{name}.svg"
        if shutil.which("dot"):
            assert "</svg>" in picture.read_text()
        else:
            assert f"{picture.name}: drawing it requires dot on PATH" in saved.missing
    assert json.loads((saved.folder / "why.json").read_text())["missing"] == list(saved.missing)


def test_pictures_are_drawn_by_go_tool_pprof(
    go: toolchains.Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a program that stands in for Graphviz's dot."""
    for name, value in go.environment().items():
        monkeypatch.setenv(name, value)
    dot = tmp_path / "bin" / "dot"
    dot.parent.mkdir()
    dot.write_text("#!/bin/sh\necho '<svg>'\ncat > /dev/null\necho '</svg>'\n")
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", str(dot.parent), prepend=":")
    from functrace.export import pprof
    from functrace.tracefile import open_trace

    trace = open_trace(firings.ring(tmp_path / "rings"))
    for name in PROFILES:
        with (tmp_path / f"pprof-{name}.pb.gz").open("wb") as file:
            pprof.write([trace], file)
    with serve() as server:
        assert list(save_profiles(server.url, tmp_path, PprofSettings())) == []
        assert server.requests == []  # the profiles are there already
    for name in PROFILES:
        assert "</svg>" in (tmp_path / f"pprof-{name}.svg").read_text()


def test_pages_of_the_endpoint(tmp_path: Path) -> None:
    with serve() as server:
        list(save_profiles(server.url, tmp_path, PprofSettings(cpu_seconds=7)))
        other = tmp_path / "other"
        other.mkdir()
        list(save_profiles(f"{server.url}/internal/pprof/", other, PprofSettings()))
        paths = [path for _, path, _ in server.requests]
    assert paths[:3] == [
        "/debug/pprof/goroutine",
        "/debug/pprof/heap",
        "/debug/pprof/profile?seconds=7",
    ]
    assert paths[3] == "/internal/pprof/goroutine"


def test_failing_endpoint_is_said(tmp_path: Path) -> None:
    with serve() as server:
        server.statuses = [404, 500]
        server.pages["/debug/pprof/profile?seconds=5"] = b"x" * 11
        said = list(save_profiles(server.url, tmp_path, PprofSettings(max_bytes=10)))
    assert said == [
        "pprof-goroutine.pb.gz: the pprof endpoint failed: status 404 Not Found",
        "pprof-heap.pb.gz: the pprof endpoint failed: status 500 Internal Server Error",
        "pprof-cpu.pb.gz: the pprof endpoint failed: the response is larger than 10 bytes",
    ]
    assert list(tmp_path.iterdir()) == []


def test_endpoint_that_never_finishes_its_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def trickle() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not ended.wait(0.01):
                    connection.sendall(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        with pytest.raises(FunctraceError, match="no complete response within"):
            send(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.5, max_bytes=1000)
        ended.set()
        thread.join()


def test_unreachable_endpoint_is_said(tmp_path: Path) -> None:
    said = list(save_profiles("http://127.0.0.1:1", tmp_path, PprofSettings()))
    assert said[0] == "pprof-goroutine.pb.gz: the pprof endpoint failed: Connection refused"
