from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import toolchains
from tests.support.pythons import ROOT
from tests.support.waiting import PATIENCE, read_until

# Both programs call outer -> inner, print "ready", and then obey their argument: "wait" waits for
# the end of the input, "busy" goes on calling in four tracks, "exec" replaces itself, "fork" waits
# with a child.
_PYTHON = """
import os, sys, threading
from functrace import trace

@trace
def inner(): pass

@trace
def outer():
    inner()
    inner()

def busy():
    while True:
        outer()

outer()
how = sys.argv[1]
if how == "exec":
    os.execv(sys.executable, [sys.executable, sys.argv[0], "wait"])
if how == "fork" and os.fork() == 0:
    outer()
if how == "busy":
    for _ in range(4):
        threading.Thread(target=busy, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""

_GO = """
package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

func inner() {}

func outer() {
	inner()
	inner()
}

func busy() {
	for sum := 0; ; outer() { // a copy takes less time than it takes to overwrite the ring
		for i := 0; i < 5_000; i++ {
			sum += i * sum
		}
	}
}

func main() {
	outer()
	switch os.Args[1] {
	case "exec":
		syscall.Exec(os.Args[0], []string{os.Args[0], "wait"}, os.Environ())
	case "busy":
		for i := 0; i < 4; i++ {
			go busy()
		}
	}
	fmt.Println("ready")
	io.ReadAll(os.Stdin)
}
"""


@dataclass(frozen=True)
class Program:
    """A program to trace, called shop."""

    command: list[str]
    environment: dict[str, str]

    @property
    def is_python(self) -> bool:
        """Whether it is written in Python."""
        return "FUNCTRACE_PURE" in self.environment

    @property
    def is_slow(self) -> bool:
        """Whether the recorder in Python records it."""
        return self.environment.get("FUNCTRACE_PURE") == "1"

    def environment_with(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
        return {**kept, "FUNCTRACE": "ring", "FUNCTRACE_BUDGET": "off", **self.environment, **more}


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in Go."""
    go = toolchains.usual()
    if go is None:
        pytest.skip("no Go")
    folder = tmp_path_factory.mktemp("shop")
    (folder / "go.mod").write_text("module shop\n\ngo 1.21\n")
    (folder / "main.go").write_text(_GO)
    subprocess.run(
        [sys.executable, "-m", "functrace", "go", "build", "-o", "shop", "."],
        cwd=folder,
        env={**go.environment(), "GOFLAGS": "-buildvcs=false"},
        check=True,
        timeout=PATIENCE,
    )
    return folder / "shop"


@pytest.fixture(params=["go", "native", "pure"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    if request.param == "go":
        return Program([str(request.getfixturevalue("shop"))], {})
    script = tmp_path / "shop.py"
    script.write_text(_PYTHON)
    pure = str(int(request.param == "pure"))
    return Program(
        [sys.executable, str(script)],
        {"PYTHONPATH": str(ROOT), "FUNCTRACE_PURE": pure, "PYTHONDONTWRITEBYTECODE": "1"},
    )


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of rings, of this process too; it does not exist yet."""
    rings = tmp_path / "rings"
    monkeypatch.setenv("FUNCTRACE_RING_DIR", str(rings))
    return rings


@pytest.fixture
def start(program: Program, folder: Path) -> Iterator[Start]:
    """Start the program and wait until it is ready; it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(how: str, **more: Any) -> subprocess.Popen[str]:
        options = {k: more.pop(k) for k in ("user", "group", "cwd") if k in more}
        process = subprocess.Popen(
            [*program.command, how],
            env=program.environment_with(FUNCTRACE_RING_DIR=str(folder), **more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )
        started.append(process)
        read_until(process.stdout, "ready")
        return process

    yield start
    for process in started:
        end(process)


def end(process: subprocess.Popen[str]) -> str:
    """Kill the program and its children. Returns what it wrote to standard error."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate(timeout=PATIENCE)[1]
