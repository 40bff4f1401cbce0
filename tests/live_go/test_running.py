"""The Go sender while a program runs, ends or is killed, and with collectors that fail."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from functrace.export.otlp import ALL_CALLS, Options
from tests.live_go.sender import environment, send
from tests.live_go.test_same_spans import of_export
from tests.otlp.program import Program
from tests.otlp.receiver import Received, Reply, over_grpc, over_http
from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE, read_until
from tests.tracefile import writer as w

_GONE = "http://127.0.0.1:9"

_SOURCE = """
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

func price(i int) (int, error) {
	if i%10 == 3 {
		return 0, errors.New("item 13 is locked: ü")
	}
	return 2 * i, nil
}

func work(wg *sync.WaitGroup, n int) {
	defer wg.Done()
	for i := 0; i < n; i++ {
		price(i)
	}
	wg.Add(1)
	go quit(wg)
}

func quit(wg *sync.WaitGroup) {
	defer wg.Done()
	defer func() { recover() }()
	fail(true)
}

func fail(panics bool) {
	if panics {
		panic("no way")
	}
	runtime.Goexit()
}

func leave() { fail(false) }

func outer(i int) { inner(i) }

func inner(i int) { price(i) }

func spawn(wg *sync.WaitGroup) {
	wg.Add(2)
	go work(wg, 200)
	go work(wg, 5)
}

func main() {
	var wg sync.WaitGroup
	for i := 0; i < 20; i++ {
		spawn(&wg)
		time.Sleep(10 * time.Millisecond)
	}
	go leave()
	wg.Wait()
	end(os.Args[1])
}

func end(how string) {
	time.Sleep(20 * time.Millisecond)
	switch how {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("the end")
	case "busy":
		for i := 0; i < 300_000; i++ {
			outer(i)
		}
	case "kill":
		fmt.Println("ready")
		select {}
	}
}
"""

_TASKS = """
import asyncio, sys, threading

def check(number):
    if number % 5 == 3:
        raise ValueError(f"item {number} is locked: ü")

async def reserve(number):
    await asyncio.sleep(0.001)
    try:
        check(number)
    except ValueError:
        pass
    if number % 7 == 0:
        raise KeyError(number)

def spawn(number):
    return asyncio.create_task(reserve(number), name=f"item {number}")

async def main():
    for turn in range(30):
        tasks = [spawn(turn * 10 + each) for each in range(10)]
        await asyncio.gather(*tasks, return_exceptions=True)
    thread = threading.Thread(target=check, args=(1,))
    thread.start()
    thread.join()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def program(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Go program whose calls end in every possible way."""
    module = tmp_path_factory.mktemp("program")
    (module / "go.mod").write_text("module example.com/shop\n\ngo 1.21\n")
    (module / "main.go").write_text(_SOURCE)
    built = subprocess.run(
        [sys.executable, "-m", "functrace", "go", "build", "-o", "shop", "."],
        cwd=module,
        env=go.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return module / "shop"


class Followed(NamedTuple):
    """What a collector received while a program ran."""

    received: Received
    message: str
    """what the sender wrote at the end"""

    def check(self, wanted: Received) -> None:
        """Compare the spans without their times.

        On a machine whose cores are all busy, the sender or the collector may get too little time.
        Spans may be missing then, but only as many as the sender says it dropped.
        """
        got, whole = without_times(self.received), without_times(wanted)
        if not self.message:
            assert got == whole
            return
        line = r"functrace: otlp: ([0-9,]+) spans? sent, ([0-9,]+) dropped \(http://.*\)\n"
        found = re.fullmatch(line, self.message)
        assert found, self.message
        sent, dropped = (int(number.replace(",", "")) for number in found.groups())
        assert sent + dropped == len(whole)
        assert set(got) <= set(whole)
        assert len(got) >= sent


@contextmanager
def recording(command: list[str], file: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A program that records into a ring, as with FUNCTRACE=otlp."""
    env = {
        **os.environ,
        "FUNCTRACE": "record",
        "FUNCTRACE_FULL": "overwrite",
        "FUNCTRACE_OUT": str(file),
        **more,
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=env, text=True, **pipes) as process:  # type: ignore[call-overload]
        while not _has_begun(file):
            assert process.poll() is None
            time.sleep(0.001)
        yield process


def _has_begun(file: Path) -> bool:
    """Whether the header is written, as it is when a program starts its sender."""
    return file.exists() and any(file.read_bytes()[:8])


def followed(
    sender: Path,
    command: list[str],
    file: Path,
    variables: dict[str, str] | None = None,
    *,
    kill: bool = False,
) -> Followed:
    """Return what a collector receives while the program runs."""
    with over_http() as receiver:
        with recording(command, file) as process:
            arguments = [str(sender), "--foreground", str(file)]
            env = environment(receiver.endpoint, variables)
            with subprocess.Popen(
                arguments, env=env, stderr=subprocess.PIPE, text=True
            ) as following:
                if kill:
                    read_until(process.stdout, "ready")
                    process.send_signal(signal.SIGKILL)
                process.wait(PATIENCE)
                _, stderr = following.communicate(timeout=PATIENCE)
        assert following.returncode == (1 if stderr else 0)
    assert len(receiver.received.requests) > 1 or "kill" not in command
    return Followed(receiver.received, stderr)


def without_times(received: Received) -> list[str]:
    """Return the spans without times: the clock rate is only exact at the end."""
    return sorted(_timeless(each) for each in received.spans)


def _timeless(span: Any) -> str:
    kept = type(span)()
    kept.CopyFrom(span)
    kept.start_time_unix_nano = kept.end_time_unix_nano = 0
    for event in kept.events:
        event.time_unix_nano = 0
    for attribute in kept.attributes:
        if attribute.key == "functrace.suspended_ns":
            attribute.value.int_value = 0
    return str(kept)


def check_times(got: Received, wanted: Received) -> None:
    """Allow a difference: on a busy machine, the first clock rate is inexact."""
    times = {span.span_id: span for span in wanted.spans}
    for span in got.spans:
        other = times[span.span_id]
        assert abs(span.start_time_unix_nano - other.start_time_unix_nano) < 1_000_000_000
        assert abs(span.end_time_unix_nano - other.end_time_unix_nano) < 1_000_000_000


@pytest.mark.parametrize("how", ["return", "exit", "panic", "kill"])
def test_a_go_program(sender: Path, program: Path, tmp_path: Path, how: str) -> None:
    file = tmp_path / "x.ftrace"
    got = followed(sender, [str(program), how], file, kill=how == "kill")
    wanted = of_export(file, ALL_CALLS)
    assert len(wanted.spans) > 4000
    got.check(wanted)
    check_times(got.received, wanted)


def test_errors_of_a_go_program(sender: Path, program: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.ftrace"
    variables = {"FUNCTRACE_OTLP_ERRORS": "1"}
    got = followed(sender, [str(program), "return"], file, variables)
    wanted = of_export(file, Options(errors=True))
    assert 400 < len(wanted.spans) < 2000
    got.check(wanted)


def test_a_python_program(sender: Path, tmp_path: Path) -> None:
    """With tasks that are suspended and begin long after they were created."""
    (tmp_path / "app.py").write_text(_TASKS)
    file = tmp_path / "x.ftrace"
    command = [sys.executable, "-m", "functrace", "run", str(tmp_path / "app.py")]
    got = followed(sender, command, file)
    wanted = of_export(file, ALL_CALLS)
    assert len(wanted.spans) > 900
    got.check(wanted)
    check_times(got.received, wanted)


def test_events_overwritten_before_they_are_read(
    sender: Path, program: Path, tmp_path: Path
) -> None:
    """The lost events are counted, and the spans that are sent are right."""
    file = tmp_path / "x.ftrace"
    command = [str(sender), "--foreground", str(file)]
    with (
        over_http() as receiver,
        recording([str(program), "busy"], file, FUNCTRACE_MAX_SIZE="1M") as process,
        subprocess.Popen(
            command, env=environment(receiver.endpoint), stderr=subprocess.PIPE, text=True
        ) as following,
    ):
        following.send_signal(signal.SIGSTOP)
        process.wait(PATIENCE)
        following.send_signal(signal.SIGCONT)
        _, stderr = following.communicate(timeout=PATIENCE)
    sent = len(receiver.received.spans)
    lost = r"at most [0-9,]+ events overwritten before they were read"
    without_end = r"(, [0-9,]+ calls? without an end for that)?"
    assert re.fullmatch(f"functrace: otlp: {sent:,} spans sent, {lost}{without_end}\n", stderr)
    spans = {span.span_id: span for span in receiver.received.spans}
    assert len(spans) == sent > 4000
    above = {
        (span.name, spans[span.parent_span_id].name)
        for span in spans.values()
        if span.parent_span_id in spans
    }
    assert ("main.inner", "main.outer") in above
    callers = {
        ("main.price", "main.inner"),
        ("main.price", "main.work"),
        ("main.inner", "main.outer"),
        ("main.outer", "main.end"),
        ("main.end", "main.main"),
        ("main.spawn", "main.main"),
        ("main.fail", "main.quit"),
        ("main.fail", "main.leave"),
        ("main.quit.func1", "main.quit"),
    }
    # Where the entry of a caller was overwritten, its own caller takes its place.
    hidden = {("main.price", "main.outer"), ("main.price", "main.end"), ("main.inner", "main.end")}
    assert above <= callers | hidden


@pytest.mark.parametrize("language", ["go", "python"])
def test_short_calls_left_out(sender: Path, program: Path, tmp_path: Path, language: str) -> None:
    """With a minimum duration, entries are written late."""
    (tmp_path / "app.py").write_text(_TASKS)
    python = [sys.executable, "-m", "functrace", "run", str(tmp_path / "app.py")]
    command = [str(program), "return"] if language == "go" else python
    file = tmp_path / "x.ftrace"
    with recording(command, file, FUNCTRACE_MIN_DURATION="20us") as process:
        process.wait(PATIENCE)
    wanted = of_export(file, ALL_CALLS)
    with over_http() as receiver:
        done = send(sender, file, receiver.endpoint)
    assert (done.stderr, done.returncode) == ("", 0)
    assert wanted.spans
    assert without_times(receiver.received) == without_times(wanted)


@pytest.fixture
def own(tmp_path: Path) -> Callable[[Program], Path]:
    """Create a trace as a program does for its sender only."""

    def made(program: Program) -> Path:
        path = tmp_path / "functrace-otlp-4194303-x.ftrace"
        path.write_bytes(program.written())
        return path

    return made


Made = Callable[[Program], Path]


def test_a_dead_collector(sender: Path, own: Made) -> None:
    made = Program(1, 4000)
    file = own(made)
    endpoint = _GONE.replace("://", "://user:secret@")  # credentials are not printed
    done = send(sender, file, endpoint, {"OTEL_BSP_EXPORT_TIMEOUT": "400"})
    assert done.stderr == (
        f"functrace: otlp: 0 spans sent, {len(made.calls):,} dropped "
        f"({_GONE.replace('://', '://***@')}/v1/traces: connection refused)\n"
    )
    assert not file.exists()


def test_dropped_spans_are_counted(sender: Path, tmp_path: Path) -> None:
    """While the collector is busy, the oldest queued batch is dropped."""
    calls = 90_000
    words = (word(3, at) for at in range(calls) for word in (w.enter, w.leave))
    file = tmp_path / "x.ftrace"
    file.write_bytes(
        w.header(version=2, flags=0) + w.FUNCTIONS + w.events(2, w.track(1, 1000), *words)
    )
    _patch(file, 16, os.getpid())
    with over_http(*[Reply(503)] * 4) as receiver:
        arguments = [str(sender), "--foreground", str(file)]
        with subprocess.Popen(
            arguments, env=environment(receiver.endpoint), stderr=subprocess.PIPE, text=True
        ) as following:
            receiver.wait_for(5)
            _patch(file, 48, 1)
            _, stderr = following.communicate(timeout=PATIENCE)
        sent = len(receiver.received.spans)
    assert 32 * 2048 < sent < calls
    assert stderr.startswith(f"functrace: otlp: {sent:,} spans sent, {calls - sent:,} dropped (")


def _patch(file: Path, at: int, number: int) -> None:
    """Change a number in the header: the pid at 16, the flags at 48."""
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(number.to_bytes(4, "little"))


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_refused_spans_are_counted(sender: Path, own: Made, protocol: str) -> None:
    made = Program(3, 10_000)
    over = over_http if protocol == "http/protobuf" else over_grpc
    refusal = Reply(400) if protocol == "http/protobuf" else Reply("INVALID_ARGUMENT", "bad")
    replies = [Reply(rejected=5, message="too old"), refusal, Reply(rejected=1 << 40)]
    with over(*replies) as receiver:
        done = send(sender, own(made), receiver.endpoint, {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    sent = 2048 - 5  # a collector cannot refuse more spans than a request has
    counts = f"{sent:,} spans sent, {len(made.calls) - sent:,} refused (too old)"
    assert done.stderr == f"functrace: otlp: {counts}\n"


def test_a_collector_that_recovers(sender: Path, own: Made) -> None:
    made = Program(4, 6000)
    replies = [Reply(503, retry_after=0), Reply(429, retry_after=0), Reply(cut=True)]
    with over_http(*replies) as receiver:
        done = send(sender, own(made), receiver.endpoint)
    assert (done.stderr, done.returncode) == ("", 0)
    assert len(receiver.received.spans) == len(made.calls)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "FUNCTRACE_OTLP_SAMPLE",
            "2",
            "must be a share greater than 0 and at most 1, such as 5% or 0.05",
        ),
        ("FUNCTRACE_OTLP_MIN_DURATION", "soon", "must be a duration, such as 5us, 2ms or 1.5s"),
        ("FUNCTRACE_OTLP_SLOW", "5ms", "was renamed; use FUNCTRACE_OTLP_MIN_DURATION"),
        ("FUNCTRACE_OTLP_ERRORS", "maybe", "must be 0 or 1"),
        (
            "FUNCTRACE_OTLP_ROOT",
            "store/...",
            "must be a list of function names, such as Get or store.*",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "must be a URL such as http://localhost:4318"),
    ],
)
def test_an_invalid_variable(
    sender: Path, own: Made, variable: str, value: str, message: str
) -> None:
    file = own(Program(5, 10))
    done = send(sender, file, _GONE, {variable: value})
    assert done.stderr == f"functrace: otlp: {variable}={value}: {message}\n"
    assert done.returncode == 2
    assert not file.exists()


def test_an_unknown_protocol(sender: Path, own: Made) -> None:
    done = send(sender, own(Program(5, 10)), _GONE, {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"})
    assert done.stderr == (
        "functrace: otlp: unknown OTLP protocol http/json: use http/protobuf or grpc\n"
    )


def test_a_file_that_is_no_trace(sender: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.ftrace"
    file.write_bytes(b"something else")
    done = send(sender, file, _GONE)
    assert done.stderr == f"functrace: otlp: {file}: not a functrace trace\n"
    assert file.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_sender_detaches(sender: Path, own: Made) -> None:
    """The command ends at once; the sender has its own session and a lower priority."""
    file = own(Program(6, 100))
    with over_http(Reply(retry_after=0, status=503)) as receiver:
        started = subprocess.run(
            [str(sender), str(file)],
            env=environment(receiver.endpoint),
            timeout=PATIENCE,
            check=True,
        )
        assert started.returncode == 0
        receiver.wait_for(1)
        pid, state = next(_senders(file))
        assert state["session"] == pid
        assert state["nice"] == os.nice(0) + 5
        receiver.wait_for(2)
        while file.exists():
            time.sleep(0.01)
    assert len(receiver.received.spans) == len(Program(6, 100).calls)


def _senders(file: Path) -> Iterator[tuple[int, dict[str, int]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if os.fsencode(file) in arguments:
            yield int(folder.name), {"session": int(fields[3]), "nice": int(fields[16])}


def test_the_sender_is_terminated(sender: Path, program: Path, tmp_path: Path) -> None:
    """It sends what was recorded so far. Service managers terminate all processes of a service."""
    file = tmp_path / "x.ftrace"
    with over_http() as receiver, recording([str(program), "kill"], file) as process:
        arguments = [str(sender), "--foreground", str(file)]
        with subprocess.Popen(
            arguments, env=environment(receiver.endpoint), stderr=subprocess.PIPE, text=True
        ) as following:
            read_until(process.stdout, "ready")
            receiver.wait_for(1)  # it has started
            following.terminate()
            _, stderr = following.communicate(timeout=PATIENCE)
        process.kill()
    assert (stderr, following.returncode) == ("", 0)
    assert len(receiver.received.spans) == len(of_export(file, ALL_CALLS).spans)
