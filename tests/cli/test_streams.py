"""Standard streams that are closed, on a full disk, or a closed pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import shop

PRINTING = (
    ("report", "monday.ftrace"),
    ("report", "--json", "monday.ftrace"),
    ("callers", "Get", "monday.ftrace"),
    ("graph", "main", "monday.ftrace"),
    ("replay", "monday.ftrace"),
    ("replay", "--json", "monday.ftrace"),
    ("diff", "monday.ftrace", "tuesday.ftrace"),
    ("info", "monday.ftrace"),
    ("export", "monday.ftrace", "--to", "chrome"),
    ("inject", "main.go"),
    ("inject", "--diff", "."),
    ("doctor",),
    ("completion", "bash"),
    ("report", "--help"),
    ("--version",),
)


@pytest.fixture(autouse=True)
def traces(module: Path) -> None:
    shop.monday(module)
    shop.tuesday(module)


def run(
    module: Path, redirection: str, *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """The command in a shell, which redirects what it prints."""
    words = [sys.executable, "-m", "functrace", *arguments]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHONUNBUF"))}
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *words],
        cwd=module,
        env=kept,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_standard_output_cannot_be_written(module: Path, arguments: tuple[str, ...]) -> None:
    closed = run(module, ">&-", *arguments)
    said = "functrace: standard output: Bad file descriptor\n"
    assert (closed.stderr[-len(said) :], closed.returncode) == (said, 1)
    assert "Traceback" not in closed.stderr
    full = run(module, ">/dev/full", *arguments)
    said = "functrace: standard output: No space left on device\n"
    assert (full.stderr[-len(said) :], full.returncode) == (said, 1)
    assert "Traceback" not in full.stderr


@pytest.mark.parametrize("arguments", PRINTING[:2], ids=" ".join)
def test_reader_closes_the_pipe(module: Path, arguments: tuple[str, ...]) -> None:
    done = run(module, "| :", *arguments)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("report", "none.ftrace"), 1), (("report",), 2), (("inject", "main.go"), 0)],
)
def test_standard_error_cannot_be_written(
    module: Path, arguments: tuple[str, ...], status: int
) -> None:
    closed = run(module, "2>&-", *arguments)
    assert closed.returncode == status
    assert "Traceback" not in closed.stdout
    full = run(module, "2>/dev/full", *arguments)
    assert full.returncode == 1
    assert full.stdout == closed.stdout


def test_opened_files_do_not_replace_closed_streams(module: Path) -> None:
    done = run(module, "<&- >&- 2>&-", "export", "monday.ftrace", "--to", "chrome", "-o", "x.json")
    assert done.returncode == 0
    wanted = run(module, "", "export", "monday.ftrace", "--to", "chrome").stdout
    assert (module / "x.json").read_text() == wanted


def test_closed_standard_input(module: Path) -> None:
    done = run(module, "<&-", "inject", "-")
    assert (done.stderr, done.returncode) == ("functrace: Bad file descriptor\n", 1)


def test_started_program_inherits_closed_streams(module: Path) -> None:
    (module / "app.py").write_text("import sys\nopen('streams', 'w').write(repr(sys.stdout))\n")
    done = run(module, ">&-", "run", "-q", "-o", "calls.txt", "app.py")
    assert (done.returncode, (module / "streams").read_text()) == (0, "None")
