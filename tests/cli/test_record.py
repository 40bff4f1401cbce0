"""functrace record with a program that writes a trace like an instrumented one."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE, read_until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "tests.cli.recorded")
PATH = {"PYTHONPATH": str(ROOT)}


def test_trace_and_summary(module: Path, functrace: Run) -> None:
    done = functrace("record", "-o", "run.ftrace", "--", *PROGRAM, stdin="in\n", **PATH)
    assert done.returncode == 0
    assert done.stdout == "\nin\n"
    assert done.stderr == (
        "functrace record: run.ftrace: 1 trace, 5.6 kB\n"
        "  6 calls in 80ns on 2 goroutines; exit status 0\n"
        "  top self time: main.main 28.6%, main.(*Shop).Sell 28.6%, main.work 23.8%\n"
        "  next: functrace report run.ftrace\n"
    )
    assert (module / "run.ftrace").exists()


def test_the_fallback_for_python_does_not_concern_a_go_program(functrace: Run) -> None:
    done = functrace("record", "-o", "run.ftrace", "--", *PROGRAM, FUNCTRACE_PURE="1", **PATH)
    assert "6 calls" in done.stderr
    assert "fallback" not in done.stderr


def test_lost_events_of_a_full_trace_are_unknown(functrace: Run) -> None:
    done = functrace("record", "-o", "run.ftrace", *PROGRAM, "full", **PATH)
    limits = (
        "the trace file was full (raise --max-size or use --overwrite),"
        " number of lost events unknown"
    )
    assert done.stderr.split("\n")[1].endswith(f"; exit status 0, {limits}")


def test_failing_chain(functrace: Run) -> None:
    done = functrace("record", "-o", "run.ftrace", *PROGRAM, "failing", "status=3", **PATH)
    assert done.returncode == 3
    assert "exit status 3" in done.stderr
    assert done.stderr.endswith(
        "  failing: main.price failed 1x, 50.0% of 2 calls, at 55ns: item 13 is locked\n"
        "    main.main → main.(*Shop).Sell → main.price\n"
        "  next: functrace triage run.ftrace\n"
    )


def test_new_folder_by_default(module: Path, functrace: Run) -> None:
    done = functrace("record", "-q", "--", *PROGRAM, **PATH)
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = module.glob("functrace-*")
    assert re.fullmatch(r"functrace-python\S*-\d{8}-\d{6}", folder.name)
    (trace,) = folder.iterdir()
    assert re.fullmatch(r"\d+\.ftrace", trace.name)


def test_traces_of_other_processes(module: Path, functrace: Run) -> None:
    for out in ("run.ftrace", "100%"):
        done = functrace("record", "-o", out, "--", *PROGRAM, "copy", **PATH)
        assert f"{out}: 2 traces, 11.3 kB\n  12 calls" in done.stderr
    assert len(list((module / "100%").iterdir())) == 2


def test_invalid_output_paths(functrace: Run) -> None:
    for out in ("/dev/stdout", "/dev/null", "go.mod"):
        done = functrace("record", "-o", out, "--", *PROGRAM, **PATH)
        assert done.returncode == 1
        assert (
            done.stderr == f"functrace: -o {out}: neither a directory nor a new file NAME.ftrace\n"
        )


def test_process_id_in_a_file_name(module: Path, functrace: Run) -> None:
    (module / "x-1-3.ftrace").write_bytes(b"")
    for _ in range(2):
        done = functrace("record", "-o", "x-%p.ftrace", "--", *PROGRAM, "copy", **PATH)
        assert "x-%p.ftrace: 2 traces" in done.stderr
    names = sorted(p.name for p in module.glob("*.ftrace"))
    assert len(names) == 5
    assert all(re.fullmatch(r"x-\d+(-\d)?\.ftrace", name) for name in names)


LONG = """
def f(n):
    if not n:
        raise ValueError("deep")
    try:
        return f(n - 1)
    except ValueError:
        return 0

f(40)
"""


def test_recursion_in_a_failing_chain_is_folded(module: Path, functrace: Run) -> None:
    (module / "app.py").write_text(LONG)
    done = functrace("run", "--record", "-o", "x.ftrace", "app.py")
    assert ("  failing: __main__.f failed 1x, 2.4% of 41 calls, at ") in done.stderr
    assert ": ValueError: deep\n    __main__.f (x41)\n  next:" in done.stderr


def test_children_of_a_recorded_program(module: Path, functrace: Run) -> None:
    text = "import os, subprocess, sys\ndef f(): pass\nf()\n"
    run = "len(sys.argv) > 1 or subprocess.run([sys.executable, 'app.py', 'child'])\n"
    (module / "app.py").write_text(text + run)
    done = functrace("run", "--record", "--children", "-o", "a.ftrace", "app.py")
    assert "FUNCTRACE_OUT" not in done.stderr
    assert "a.ftrace exists; the trace goes to " in done.stderr
    said = functrace("info", "a.ftrace").stdout
    assert "FUNCTRACE=record" in said
    assert "FUNCTRACE_HOOK" not in said


def test_exit_status_is_written_to_all_complete_traces(module: Path, functrace: Run) -> None:
    text = "import os\ndef f(): pass\nf()\nos.symlink('/dev/null', 'out/0.ftrace')\nos._exit(5)\n"
    (module / "app.py").write_text(text)
    done = functrace("run", "--record", "-o", "out", "app.py")
    reason = "cannot write the exit status to out/0.ftrace"
    assert done.stderr.count(reason) == done.stderr.count("cannot write") == 1
    (trace,) = module.glob("out/[1-9]*.ftrace")
    assert "exit status 5" in functrace("info", str(trace)).stdout


def test_no_trace_is_overwritten(module: Path, functrace: Run) -> None:
    (module / "run.ftrace").write_text("mine")
    done = functrace("record", "-o", "run.ftrace", "--", *PROGRAM, **PATH)
    assert done.returncode == 1
    assert done.stderr == "functrace: run.ftrace already exists; choose another name with -o\n"
    assert done.stdout == ""
    assert (module / "run.ftrace").read_text() == "mine"


@pytest.mark.parametrize(("words", "status"), [((), 1), (("status=4",), 4)])
def test_no_trace(module: Path, functrace: Run, words: tuple[str, ...], status: int) -> None:
    before = list(module.iterdir())
    done = functrace("record", "--", *PROGRAM, "none", *words, **PATH)
    assert done.returncode == status
    assert "nor a program that it started is instrumented" in done.stderr
    assert list(module.iterdir()) == before
    assert "functrace go build" in functrace("record", "--", "true").stderr


def test_no_such_command(functrace: Run) -> None:
    done = functrace("record", "--", "./nothing")
    assert done.returncode == 127
    assert done.stderr == "functrace: cannot run ./nothing: No such file or directory\n"


def test_program_for_run(module: Path, functrace: Run) -> None:
    (module / "app.py").write_text("print(1)\n")
    (module / "tool").write_text(f"#!{sys.executable}\nprint(2)\n")
    (module / "tool").chmod(0o755)
    instead = "functrace run --record"
    advice = "\n  `{} {}` records a Python program\n"
    done = functrace("record", "--", "app.py", "a b")
    assert (done.returncode, done.stderr.count("\n")) == (127, 2)
    assert done.stderr.endswith(advice.format(instead, "app.py 'a b'"))
    for words, rest in ([sys.executable, "app.py"], "app.py"), (["./tool"], "./tool"):
        done = functrace("record", "--", *words)
        assert (done.returncode, "no trace" in done.stderr) == (1, True)
        assert done.stderr.endswith(advice.format(instead, rest))


def test_killed(functrace: Run) -> None:
    done = functrace("record", "--", *PROGRAM, "kill", **PATH)
    assert done.returncode == 137
    assert "killed by SIGKILL" in done.stderr


def test_limits_reach_the_runtime(functrace: Run) -> None:
    limits = ["--max-size", "2G", "--overwrite", "--min-duration", "5us", "--depth", "3"]
    globs = ["--include", "main.*", "--exclude", "String", "--exclude", "x.Y"]
    done = functrace("record", *limits, *globs, "--", *PROGRAM, **PATH)
    assert done.stdout == (
        "FUNCTRACE_DEPTH=3 FUNCTRACE_EXCLUDE=String,x.Y "
        "FUNCTRACE_FULL=overwrite FUNCTRACE_INCLUDE=main.* "
        "FUNCTRACE_MAX_SIZE=2G FUNCTRACE_MIN_DURATION=5us\n"
    )


@pytest.mark.parametrize(
    "limit", [("--max-size", "big"), ("--min-duration", "5"), ("--include", "!f")]
)
def test_invalid_limits(functrace: Run, limit: tuple[str, str]) -> None:
    done = functrace("record", *limit, "--", *PROGRAM, **PATH)
    assert (done.returncode, done.stdout) == (2, "")


WAITING = [sys.executable, "-m", "functrace", "record", "-o", "x.ftrace", "--", *PROGRAM, "wait"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FUNCTRACE_MAX_SIZE", "2X", "FUNCTRACE_MAX_SIZE=2X is not a size such as 500M or 2G"),
        ("FUNCTRACE_MAX_SIZE", "1", "FUNCTRACE_MAX_SIZE is too small for a trace: set it to 1M"),
        ("FUNCTRACE_DEPTH", "0", "FUNCTRACE_DEPTH=0 is not a number of levels"),
    ],
)
def test_variables_that_the_recorder_would_refuse(
    functrace: Run, name: str, value: str, message: str
) -> None:
    """One message, before the program starts, instead of a program without a trace."""
    done = functrace("record", "true", **{name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"functrace: {message}")
    assert done.stderr.count("\n") == 1


def test_signals_are_passed_on(module: Path) -> None:
    with subprocess.Popen(
        WAITING,
        cwd=module,
        env={**os.environ, **PATH},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        read_until(process.stdout, "ready\n")
        process.send_signal(signal.SIGINT)
        read_until(process.stdout, "interrupted\n")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 7
    assert "x.ftrace: 1 trace" in said


@pytest.mark.skipif(not shutil.which("setsid"), reason="needs setsid for a terminal of its own")
def test_terminal_signal_reaches_the_program_once(module: Path) -> None:
    ours, theirs = pty.openpty()
    with (
        subprocess.Popen(
            ["setsid", "--ctty", "--wait", *WAITING],
            cwd=module,
            env={**os.environ, **PATH},
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        open(ours, "r+b", buffering=0) as terminal,
    ):
        os.close(theirs)
        terminal.write(b"\x04")  # the end of its input
        said = b""
        while b"ready" not in said:
            said += terminal.read(100)
        for number in range(1, 6):
            terminal.write(b"\x03")
            while said.count(b"interrupted") < number:
                said += terminal.read(100)
        os.kill(process.pid, signal.SIGTERM)  # behind any interrupt that were passed on
        with contextlib.suppress(OSError):  # the terminal's end
            while more := terminal.read(100):
                said += more
        assert process.wait(PATIENCE) == 7
    assert said.count(b"interrupted") == 5


def test_instrumented_go_program(tmp_path: Path, functrace: Run, go: Go) -> None:
    env = {**go.environment(), "GOFLAGS": "-buildvcs=false"}
    built = functrace(
        "go", "build", "-o", str(tmp_path / "server"), ".", cwd=ROOT / "examples" / "http", **env
    )
    assert built.returncode == 0, built.stderr
    done = functrace("record", "-o", "shop.ftrace", "./server", cwd=tmp_path)
    assert done.returncode == 0
    assert "GET /invoice?id=13: " in done.stdout
    assert "shop.ftrace: 1 trace" in done.stderr
    seen = functrace("replay", "shop.ftrace", "--around", "price", cwd=tmp_path).stdout
    assert "\t\t->main.price\n" in seen
    assert "->example.com/shop/store.Get\n" in seen


WITH_DAEMON = """
import os

def daemonise():
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    for stream in range(3):
        os.dup2(null, stream)
    os.read(held, 1)

null = os.open(os.devnull, os.O_RDWR)
held, written = os.pipe()
print(os.getpid(), daemonise(), flush=True)
os.read(held, 1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no kernel does it")
@pytest.mark.parametrize(
    "words", [["record", "-o", "x.ftrace", "--", sys.executable], ["run", "--record"]]
)
def test_sigkill_ends_the_program_and_not_its_daemons(module: Path, words: list[str]) -> None:
    (module / "app.py").write_text(WITH_DAEMON)
    with subprocess.Popen(
        [sys.executable, "-m", "functrace", *words, "app.py"],
        cwd=module,
        env={**os.environ, **PATH},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        program, daemon = map(int, process.stdout.readline().split())
        process.kill()
        try:
            process.communicate(timeout=PATIENCE)  # to the program's end
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(program, signal.SIGKILL)
            os.kill(daemon, signal.SIGKILL)  # ProcessLookupError if it had ended as well
