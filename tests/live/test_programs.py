"""Programs that run with FUNCTRACE=otlp, and what a collector gets of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.conftest import Run, Runner
from tests.otlp.collector import running
from tests.otlp.receiver import Receiver, over_grpc
from tests.python_runtime.conftest import HEAD, Runtime, environment
from tests.support.waiting import PATIENCE

PROGRAM = """
    import asyncio, os, signal, threading

    @trace
    def price(item):
        if item == 3:
            raise ValueError("item 3 is locked")

    @trace
    def work(item):
        try:
            price(item)
        except ValueError:
            pass

    @trace
    async def serve(item):
        work(item)
        await asyncio.sleep(0.001)
        work(item)

    @trace
    async def main():
        await asyncio.gather(*[asyncio.create_task(serve(item)) for item in range(4)])
        thread = threading.Thread(target=work, args=(7,))
        thread.start()
        thread.join()

    asyncio.run(main())
"""
SERVED = [f"main |serve{inner}" for inner in ("", " work", " work price", " work", " work price")]
FAILED = "main |serve work price !ValueError: item 3 is locked"
TREE = sorted(
    ["|main", "main |work", "main |work price"]
    + 3 * SERVED
    + SERVED[:2]
    + SERVED[3:4]
    + 2 * [FAILED]
)


def as_recorded(runtime: Runtime, tree: list[str]) -> list[str]:
    """Return the tree; without types and texts of exceptions if the Python does not record them."""
    if runtime.records_exceptions:
        return tree
    return sorted(each.partition(" !")[0] + " !" * (" !" in each) for each in tree)


def check(run: Run, runtime: Runtime, tree: list[str] = TREE) -> None:
    assert run.tree == as_recorded(runtime, tree)
    assert (run.stderr, run.left) == ("", [])


def test_every_call_arrives(live: Runner, runtime: Runtime) -> None:
    check(live(PROGRAM), runtime)


@pytest.mark.slow
def test_through_a_collector(
    live: Runner, runtime: Runtime, receiver: Receiver, collector_program: Path
) -> None:
    with running(collector_program, receiver.endpoint) as between:
        check(live(PROGRAM, OTEL_EXPORTER_OTLP_ENDPOINT=between.http), runtime)


def test_what_a_killed_program_did(live: Runner, runtime: Runtime) -> None:
    program = (
        PROGRAM
        + """
    @trace
    def dies():
        work(1)
        os.kill(os.getpid(), signal.SIGKILL)

    dies()
"""
    )
    more = ["|dies …True", "|dies work", "|dies work price"]
    check(live(program, status=-signal.SIGKILL), runtime, sorted(TREE + more))


def test_forked_children(live: Runner, runtime: Runtime, receiver: Receiver) -> None:
    run = live("""
        import os

        @trace
        def parent():
            if os.fork():
                os.wait()
            else:
                child()
                os._exit(0)

        @trace
        def child(): pass

        parent()
    """)
    check(run, runtime, ["|child", "|parent"])
    instances = {
        attribute.value.string_value
        for request in receiver.received.taken
        for resource in request.resource_spans
        for attribute in resource.resource.attributes
        if attribute.key == "service.instance.id"
    }
    assert len(instances) == 2


def test_stopped_and_started(live: Runner, runtime: Runtime) -> None:
    run = live("""
        @trace
        def f(): pass

        @trace
        def g(): pass

        f()
        functrace.stop()
        g()
        functrace.start()
        f()
    """)
    check(run, runtime, ["|f", "|f"])


def test_selected(live: Runner, runtime: Runtime) -> None:
    run = live(PROGRAM, FUNCTRACE_OTLP_ROOT="nosuch,serve,*.none", FUNCTRACE_OTLP_ERRORS="1")
    assert run.tree == as_recorded(
        runtime, sorted(["main |serve", "main |serve work", "main |serve work", FAILED, FAILED])
    )
    assert live(PROGRAM, FUNCTRACE_OTLP_MIN_DURATION="1m").stderr == ""


def test_the_program_has_no_child_and_no_thread_of_ours(live: Runner) -> None:
    run = live(
        """
        import os, sys

        @trace
        def f(): pass

        f()
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("no child")
        print(len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 1)
        (name,) = os.listdir(os.environ["TMPDIR"])
        print(name.startswith(f"functrace-otlp-{os.getpid()}-"), end=" ")
        print(oct(os.stat(os.environ["TMPDIR"] + "/" + name).st_mode & 0o777))
        loaded = {name.partition(".")[0] for name in sys.modules}
        print(loaded & {"opentelemetry", "numpy", "google", "requests", "subprocess", "tempfile"})
        """
    )
    assert run.stdout.splitlines() == ["no child", "1", "True 0o600", "set()"]


def test_a_collector_that_is_not_there(live: Runner) -> None:
    run = live(
        PROGRAM,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://user:secret@127.0.0.1:1",  # credentials are not printed
        OTEL_EXPORTER_OTLP_TIMEOUT="300",
        OTEL_BSP_EXPORT_TIMEOUT="5000",
    )
    assert run.stderr == (
        f"functrace: otlp: 0 spans sent, {len(TREE)} dropped"
        " (http://***@127.0.0.1:1/v1/traces: Connection refused)\n"
    )
    assert run.left == []


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("FUNCTRACE_OTLP_SAMPLE=2", "2: a share is above 0 and at most 1, such as 5% or 0.05"),
        ("FUNCTRACE_OTLP_MIN_DURATION=soon", "soon is not a time such as 5us, 2ms or 1.5s"),
        ("FUNCTRACE_OTLP_SLOW=5ms", "5ms: renamed; use FUNCTRACE_OTLP_MIN_DURATION"),
        ("FUNCTRACE_OTLP_ERRORS=yes", "yes: expected 0 or 1"),
        ("FUNCTRACE_OTLP_ROOT=!f", "!f: ! has no meaning in a glob; only * and ? have"),
        ("OTEL_BSP_EXPORT_TIMEOUT=1s", "1s is not a number of milliseconds"),
    ],
)
def test_variables_that_make_no_sense(live: Runner, variable: str, message: str) -> None:
    name, _, value = variable.partition("=")
    run = live(PROGRAM + '    print("runs on")', **{name: value})
    assert run.stderr == f"functrace: otlp: {name}={message}\n"
    assert (run.stdout, run.spans, run.left) == ("runs on\n", [], [])


def test_no_opentelemetry(live: Runner, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare")
    python = str(tmp_path / "bare" / "bin" / "python")
    run = live(PROGRAM + '    print("runs on")', FUNCTRACE_PYTHON=python)
    assert run.stderr == (
        f"functrace: FUNCTRACE=otlp: {python} has no opentelemetry:"
        " pip install 'functrace-cli[otlp]'; tracing is off\n"
    )
    assert (run.stdout, run.spans, run.left) == ("runs on\n", [], [])


def test_no_sender(live: Runner) -> None:
    run = live(PROGRAM + '    print("runs on")', FUNCTRACE_PYTHON="/nonexistent/python")
    message = "/nonexistent/python: No such file or directory; tracing is off"
    assert run.stderr == f"functrace: FUNCTRACE=otlp: {message}\n"
    assert (run.stdout, run.left) == ("runs on\n", [])


WAITS = f"""{HEAD}import time
@trace
def f():
    print("here", flush=True)
    time.sleep(60)
f()
"""


@contextmanager
def interrupted(python: str, folder: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A program whose process group has been sent an interrupt as soon as it runs."""
    (folder / "program.py").write_text(WAITS)
    with subprocess.Popen(
        [python, "program.py"],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        os.killpg(process.pid, signal.SIGINT)
        yield process


def test_an_interrupt_ends_the_program_and_not_its_sender(
    tmp_path: Path, runtime: Runtime, variables: dict[str, str], receiver: Receiver
) -> None:
    env = environment(runtime, variables)
    with interrupted(runtime.python.executable, tmp_path, env) as process:
        _, stderr = process.communicate(timeout=PATIENCE)
    assert stderr.endswith("KeyboardInterrupt\n")
    (span,) = receiver.received.spans
    assert span.name == "__main__.f"
    assert (span.status.message == "KeyboardInterrupt") == runtime.records_exceptions


# Run as the interpreter of the sender: -I START PATH.
SLOW_STARTS = {
    "all signals come before the script's first line": """
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            os.kill(os.getpid(), number)
    """,
    "the process that stays runs late": """
        fork = os.fork

        def fork_and_hold():
            child = fork()
            if not child:
                open(PIPE).close()
            return child

        os.fork = fork_and_hold
    """,
}


@pytest.mark.parametrize("slow", SLOW_STARTS)
def test_a_sender_that_starts_slowly_is_not_interrupted(
    tmp_path: Path, variables: dict[str, str], receiver: Receiver, slow: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    interpreter = tmp_path / "interpreter"
    interpreter.write_text(
        f"#!{sys.executable} -I\nimport os, runpy, signal, sys\nPIPE = {str(tmp_path / 'pipe')!r}\n"
        f"{textwrap.dedent(SLOW_STARTS[slow])}\n"
        "sys.argv = sys.argv[2:]\nrunpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    interpreter.chmod(0o755)
    env = {**os.environ, **variables, "FUNCTRACE_PYTHON": str(interpreter)}
    with (
        interrupted(sys.executable, tmp_path, env) as process,
        (tmp_path / "pipe").open("r+b", buffering=0),  # whoever waits for it may run on
    ):
        _, stderr = process.communicate(timeout=PATIENCE)
    assert stderr.count("Traceback") == 1, stderr
    assert [span.name for span in receiver.received.spans] == ["__main__.f"]


def test_over_grpc(tmp_path: Path, variables: dict[str, str]) -> None:
    (tmp_path / "program.py").write_text(f"{HEAD}@trace\ndef f(): pass\nf()\n")
    with over_grpc() as receiver:
        chosen = {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_SERVICE_NAME": "counter",
        }
        done = subprocess.run(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            env={**os.environ, **variables, **chosen},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stderr == ""
    (request,) = receiver.received.taken
    resource = request.resource_spans[0].resource
    assert ("service.name", "counter") in [
        (a.key, a.value.string_value) for a in resource.attributes
    ]
    assert [span.name for span in receiver.received.spans] == ["__main__.f"]


LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc, namespaces")


@LINUX
def test_a_sender_that_cannot_follow(
    tmp_path: Path, temporary: Path, variables: dict[str, str], receiver: Receiver
) -> None:
    """What is overwritten before it was read is counted; what comes after is sent as ever."""
    (tmp_path / "program.py").write_text(
        f"{HEAD}@trace\ndef f(): pass\nf()\nprint('begun', flush=True)\ninput()\n"
        "for _ in range(300_000): f()\n"
    )
    with subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, **variables, "FUNCTRACE_MAX_SIZE": "1M"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        sender = _sender(temporary)
        os.kill(sender, signal.SIGSTOP)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.close()
        assert process.stdout.read() == ""
        process.wait(timeout=PATIENCE)
        os.kill(sender, signal.SIGCONT)
        assert process.stderr is not None
        stderr = process.stderr.read()
    sent = len(receiver.received.spans)
    found = re.fullmatch(
        r"functrace: otlp: ([\d,]+) spans sent, at most ([\d,]+) events overwritten"
        r" before they were read(, 1 call without an end for that)?\n",
        stderr,
    )
    assert found is not None, stderr
    assert int(found[1].replace(",", "")) == sent
    lost = int(found[2].replace(",", ""))
    assert 20_000 < sent < 70_000  # of a megabyte
    assert abs(2 * 300_001 - 2 * sent - lost) < 60_000
    assert list(temporary.iterdir()) == []


def _sender(temporary: Path) -> int:
    """The process that has the trace in its command."""
    (trace,) = temporary.iterdir()
    found = [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdecimal() and str(trace).encode() in _command(folder)
    ]
    (sender,) = found
    return sender


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""  # it has ended


@LINUX
def test_the_first_process_of_a_container_waits_for_its_sender(
    tmp_path: Path, variables: dict[str, str], receiver: Receiver
) -> None:
    """With its end all others of the container end."""
    (tmp_path / "program.py").write_text(
        f"{HEAD}import os\n@trace\ndef f(): pass\nf()\nprint(os.getpid())\n"
    )
    contained = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*contained, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no namespaces of processes here")
    done = subprocess.run(
        [*contained, sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
    assert [span.name for span in receiver.received.spans] == ["__main__.f"]
