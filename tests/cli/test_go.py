"""Tests of functrace go that scripts cannot express; the others are in tests/scripts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE


def test_large_build_is_counted_by_several_processes(module: Path, functrace: Run, go: Go) -> None:
    for n in range(12):
        functions = (f"func F{n}_{i}() int {{\n\treturn {i}\n}}\n\n" for i in range(2500))
        (module / "store" / f"f{n}.go").write_text("package store\n\n" + "".join(functions))
    assert sum(f.stat().st_size for f in module.rglob("*.go")) > 1_000_000
    path = {"PATH": f"{go.binaries}:/usr/bin:/bin", "GOTOOLCHAIN": "local"}
    done = functrace("go", "build", "./...", **path)
    assert done.returncode == 0
    assert "30,003 functions of 2 packages instrumented" in done.stderr


WAITING = """
func wait() {
	println(os.Getpid())
	reading, _, _ := os.Pipe()
	reading.Read(make([]byte, 1))
}
"""
PROGRAM = 'package main\n\nimport "os"\n\nfunc main() { wait() }\n' + WAITING
TEST = (
    'package main\n\nimport (\n"os"\n"testing"\n)\n\nfunc TestIt(*testing.T) { wait() }\n' + WAITING
)


GRACEFUL = """package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	fmt.Println(os.Getpid())
	fmt.Println(<-signals)
}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no kernel does it")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_program_may_shut_down_in_order(module: Path, go: Go, number: int) -> None:
    (module / "main.go").unlink()
    (module / "app.go").write_text(GRACEFUL)
    with subprocess.Popen(
        [sys.executable, "-m", "functrace", "go", "-q", "run", "."],
        cwd=module,
        env={**go.environment(), "FUNCTRACE": "off"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        program = int(next(line for line in process.stdout if line.strip().isdecimal()))
        process.send_signal(number)
        try:
            assert process.communicate(timeout=PATIENCE)[0] == "terminated\n"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(program, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no kernel does it")
@pytest.mark.parametrize("verb", ["run", "test"])
def test_sigkill_ends_the_program(module: Path, go: Go, verb: str) -> None:
    (module / "main.go").unlink()
    name, text = ("app.go", PROGRAM) if verb == "run" else ("app_test.go", TEST)
    flags = ["-v"] if verb == "test" else []  # or its output is kept back
    (module / name).write_text(text)
    with subprocess.Popen(
        [sys.executable, "-m", "functrace", "go", "-q", verb, *flags, "."],
        cwd=module,
        env={**go.environment(), "FUNCTRACE": "off"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        program = int(next(line for line in process.stdout if line.strip().isdecimal()))
        process.kill()
        try:
            process.communicate(timeout=PATIENCE)  # to the program's end
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(program, signal.SIGKILL)
