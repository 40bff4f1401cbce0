"""functrace export --to otlp, as a command."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from functrace import extras
from tests.otlp.program import Program
from tests.otlp.receiver import Receiver, Reply, over_grpc, over_http
from tests.support.waiting import PATIENCE

SPANS = len(Program(seed=2, steps=9000).calls)
assert 4096 < SPANS < 6144  # three requests
COMMAND = [sys.executable, "-m", "functrace", "export", "--to", "otlp"]


@pytest.fixture
def trace(tmp_path: Path) -> str:
    path = tmp_path / "x.ftrace"
    path.write_bytes(Program(seed=2, steps=9000).written())
    return str(path)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def ids(*receivers: Receiver) -> set[bytes]:
    return {span.span_id for receiver in receivers for span in receiver.received.spans}


def test_sent(trace: str, tmp_path: Path) -> None:
    other = tmp_path / "y.ftrace"
    other.write_bytes(Program(seed=3, steps=5).written())
    with over_http() as receiver:
        done = run(trace, str(other), "--endpoint", receiver.endpoint)
    total = SPANS + len(Program(seed=3, steps=5).calls)
    message = (
        f"functrace export: {total:,} spans sent to {receiver.endpoint}/v1/traces, 0 refused\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", message)
    assert len(receiver.received.spans) == total


def test_selected_calls(trace: str) -> None:
    with over_grpc() as receiver:
        done = run(
            *(trace, "--endpoint", receiver.endpoint, "--protocol", "grpc", "--root", "serve"),
            *("--root", "price", "--errors", "--min-duration", "40us", "--sample", "50%"),
        )
    assert done.returncode == 0, done.stderr
    roots = [span for span in receiver.received.spans if not span.parent_span_id]
    assert {span.name for span in roots} == {"main.serve", "main.price"}
    assert {span.trace_state for span in receiver.received.spans} == {"ot=th:8"}


def test_nothing_to_send(trace: str) -> None:
    done = run(trace, "--root", "nosuch")
    assert (done.returncode, done.stderr) == (1, "functrace: no function matches --root nosuch\n")
    done = run(trace, "--min-duration", "1m")
    assert done.returncode == 1
    assert done.stderr.endswith("functrace: no calls match the given filters\n")


def test_an_unreachable_collector(trace: str) -> None:
    done = run(trace, "--endpoint", "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_TIMEOUT="300")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "functrace: http://127.0.0.1:1/v1/traces: Connection refused\n  nothing was sent\n"
    )


def test_no_credentials_are_printed(trace: str) -> None:
    with over_http(Reply(), Reply(500)) as receiver:
        host = receiver.endpoint.removeprefix("http://")
        endpoint = f"http://user:secret@{host}/otlp?key=secret"
        stopped = run(trace, "--endpoint", endpoint)
        done = run(trace, "--endpoint", endpoint)
    assert (stopped.returncode, done.returncode) == (1, 0)
    assert "secret" not in stopped.stderr + done.stderr
    assert f"http://***@{host}" in stopped.stderr
    assert f"http://***@{host}" in done.stderr


def test_the_command_that_resumes(trace: str) -> None:
    with over_http(Reply(), Reply(500)) as receiver:
        done = run(trace, "--endpoint", receiver.endpoint)
        assert done.returncode == 1
        address, progress, command = done.stderr.splitlines()
        assert address == (f"functrace: {receiver.endpoint}/v1/traces: 500 Internal Server Error")
        assert progress == "  2,048 spans done; to resume the export, run:"
        again = run(*shlex.split(command)[4:])
    assert again.returncode == 0, again.stderr
    assert f"{SPANS - 2048:,} spans sent" in again.stderr
    assert len(receiver.received.spans) == len(ids(receiver)) == SPANS


def test_an_interrupt_prints_the_command_that_resumes(trace: str) -> None:
    with over_http(Reply(), Reply(hangs=True)) as receiver:
        command = [*COMMAND, trace, "--endpoint", receiver.endpoint]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        receiver.wait_for(2)
        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert re.search(r"--resume [0-9a-f]{8}-2048\n", message)


def test_refused(trace: str) -> None:
    with over_http(Reply(rejected=5, message="too old")) as receiver:
        done = run(trace, "--endpoint", receiver.endpoint)
    assert done.returncode == 1
    assert done.stderr == (
        f"functrace export: {SPANS - 5:,} spans sent to {receiver.endpoint}/v1/traces, 5 refused\n"
        "functrace: the collector refused spans: too old\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sample", "0"], "--sample 0: a share is above 0 and at most 1, such as 5% or 0.05"),
        (["--sample", "x%"], "--sample x%: a share is above 0 and at most 1, such as 5% or 0.05"),
        (
            ["--resume", "now"],
            "--resume now: not a word from the message of an interrupted export",
        ),
        (["-o", "x"], "-o does not apply to --to otlp, which sends spans; use --endpoint"),
        (["--by", "time"], "--by does not apply to --to otlp"),
    ],
)
def test_wrong_usage(trace: str, arguments: list[str], message: str) -> None:
    done = run(trace, *arguments)
    assert (done.returncode, done.stderr) == (2, f"functrace: {message}\n")


def test_without_opentelemetry(trace: str, tmp_path: Path) -> None:
    (tmp_path / "opentelemetry.py").write_text("raise ModuleNotFoundError(name='opentelemetry')")
    done = run(trace, PYTHONPATH=str(tmp_path))
    install = extras.install_command("otlp")
    message = f"--to otlp requires opentelemetry; install it with: {install}"
    assert (done.returncode, done.stderr) == (1, f"functrace: {message}\n")


def test_progress_on_a_terminal(trace: str) -> None:
    with over_http() as receiver:
        master, slave = pty.openpty()
        command = [*COMMAND, trace, "--endpoint", receiver.endpoint]
        process = subprocess.Popen(command, stderr=slave, env={**os.environ, "COLUMNS": "100"})
        os.close(slave)
        shown = b""
        while chunk := _read(master):
            shown += chunk
        os.close(master)
        assert process.wait(timeout=PATIENCE) == 0
    assert b"sending spans" in shown
    assert f"{SPANS:,} spans sent".encode() in shown


def _read(terminal: int) -> bytes:
    """Until the other end is closed, which Linux tells as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_large_opentelemetry_traces_are_reported(tmp_path: Path) -> None:
    from tests.tracefile import writer as w

    words = [word for i in range(10_001) for word in (w.enter(2, 2 + i), w.leave(2, 2 + i))]
    path = tmp_path / "x.ftrace"
    path.write_bytes(
        w.header() + w.FUNCTIONS + w.events(2, w.track(1, 1000), w.enter(1, 1), *words)
    )
    with over_http() as receiver:
        done = run(str(path), "--endpoint", receiver.endpoint)
    assert done.returncode == 0
    assert "note: the largest OpenTelemetry trace has 10,002 spans; use --root" in done.stderr


def test_the_program_in_the_docs(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "otlp.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    program = Program(seed=2, steps=900)
    (tmp_path / "shop.ftrace").write_bytes(program.written())
    with over_http() as receiver:
        done = subprocess.run(
            [sys.executable, "-c", code.replace("http://localhost:4318", receiver.endpoint)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stdout, done.stderr) == (f"{len(receiver.received.spans)} 0\n", "")
    assert any(call.failed for call in program.calls)
