"""functrace export: options, outputs and refusals."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from functrace import extras
from tests.cli import recorded
from tests.cli.conftest import Run


def test_to_standard_output_or_a_file(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    printed = functrace("export", "a.ftrace", "--to", "jsonl")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert len(list(map(json.loads, printed.stdout.splitlines()))) == 1 + 2 + 6
    written = functrace("export", ".", "--to", "jsonl", "-o", "a.jsonl")
    assert (written.returncode, written.stdout) == (0, "")
    assert (module / "a.jsonl").read_text() == printed.stdout


def test_to_a_path_that_is_a_stream(module: Path) -> None:
    """Existing content is kept, as in any redirection."""
    (module / "a.ftrace").write_bytes(recorded.trace())
    export = f"{sys.executable} -m functrace export a.ftrace --to folded"
    script = f"(echo before; {export} -o $0; echo after) > out.txt"
    folded = subprocess.check_output(export.split(), cwd=module, text=True)
    for path in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        subprocess.run(["sh", "-c", script, path], cwd=module, check=True)
        assert (module / "out.txt").read_text() == f"before\n{folded}after\n"
    closed = subprocess.run(
        [*export.split(), "-o", "/dev/fd/9"],
        cwd=module,
        capture_output=True,
        text=True,
        check=False,
    )
    assert closed.stderr == "functrace: -o /dev/fd/9: Bad file descriptor\n"


def test_several_traces(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    (module / "b.ftrace").write_bytes(recorded.trace(failing=True))
    each = [functrace("export", f"{name}.ftrace", "--to", "jsonl").stdout for name in "ab"]
    assert functrace("export", "a.ftrace", "b.ftrace", "--to", "jsonl").stdout == "".join(each)
    assert functrace("export", ".", "--to", "jsonl").stdout == "".join(each)


def test_refusals(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    (module / "b.ftrace").write_bytes(recorded.trace())
    done = functrace("export", ".", "--to", "jsonl", "-o", "./b.ftrace")
    assert done.returncode == 1
    assert done.stderr == (
        "functrace: output file b.ftrace is one of the traces to export; choose another with -o\n"
    )
    assert (module / "b.ftrace").read_bytes() == recorded.trace()


def test_binary_formats_and_folders_require_an_output(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    done = functrace("export", "a.ftrace", "--to", "parquet")
    assert (done.returncode, done.stderr) == (
        2,
        "functrace: --to parquet writes a folder; name one: -o trace.parquet\n",
    )
    (module / "full").mkdir()
    (module / "full" / "x").write_text("mine")
    done = functrace("export", "a.ftrace", "--to", "parquet", "-o", "full")
    assert (done.returncode, done.stderr) == (
        1,
        "functrace: output full exists and is not an empty directory; choose another with -o\n",
    )
    done = functrace("export", "a.ftrace", "--to", "perfetto", "-o", "a.pftrace")
    assert done.returncode == 0
    assert done.stderr.startswith("functrace export: a.pftrace: ")
    assert done.stderr.endswith("; opens in ui.perfetto.dev\n")
    piped = subprocess.run(
        [sys.executable, "-m", "functrace", "export", "a.ftrace", "--to", "perfetto", "-o", "-"],
        cwd=module,
        capture_output=True,
        check=True,
    )
    assert piped.stdout == (module / "a.pftrace").read_bytes()


def test_binary_output_to_a_terminal_is_refused(module: Path) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    master, slave = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "functrace", "export", "a.ftrace", "--to", "pprof"],
        cwd=module,
        stdout=slave,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(slave)
    os.close(master)
    assert done.returncode == 2
    assert done.stderr == (
        "functrace: refusing to write binary pprof output to a terminal;"
        " use -o trace.pb.gz, or a pipe\n"
    )


def test_options_of_other_formats_are_refused(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    done = functrace("export", "a.ftrace", "--to", "folded", "--by", "calls")
    assert (done.returncode, done.stderr) == (0, "")
    assert "main.main;main.(*Shop).Sell;main.price 2\n" in done.stdout
    done = functrace("export", "a.ftrace", "--to", "chrome", "--by", "calls")
    assert (done.returncode, done.stderr) == (2, "functrace: --by does not apply to --to chrome\n")


def test_missing_packages_and_programs_are_reported(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    (module / "pyarrow.py").write_text("raise ModuleNotFoundError(name='pyarrow')")
    done = functrace("export", "a.ftrace", "--to", "parquet", "-o", "x", PYTHONPATH=str(module))
    install = extras.install_command("parquet")
    message = f"functrace: --to parquet requires pyarrow; install it with: {install}\n"
    assert (done.returncode, done.stderr) == (1, message)
    assert not (module / "x").exists()
    done = functrace("export", "a.ftrace", "--to", "svg", "-o", "x.svg", PATH="")
    assert done.returncode == 1
    assert done.stderr.startswith("functrace: --to svg requires graphviz")
    assert not (module / "x.svg").exists()
