"""inject and strip with --diff, --check, --json or standard output change no file."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli import recorded
from tests.cli.conftest import Run, contents

SOURCE = "package p\n\nfunc f() {\n}\n"
TRACED = """package p

import "example.com/shop/internal/functrace"

func f() {
\tdefer functrace.Trace()()
}
"""


def test_nothing_changes(module: Path, functrace: Run) -> None:
    before = contents(module)
    for mode in ("--diff", "--check"):
        functrace("inject", mode, ".")
    assert contents(module) == before


def test_diff(functrace: Run) -> None:
    diff = functrace("inject", "--diff", "store").stdout
    assert "--- a/store/store.go\n+++ b/store/store.go\n" in diff
    assert "+\tdefer functrace.Trace()()\n" in diff


def test_check_reports_what_would_change(functrace: Run) -> None:
    done = functrace("inject", "--check", ".")
    assert (done.returncode, done.stdout) == (
        1,
        "main.go: 1 function\nstore/store.go: 2 functions\n",
    )


def test_strip_check_prints_nothing_for_clean_sources(functrace: Run) -> None:
    done = functrace("strip", "--check", ".")
    assert (done.returncode, done.stdout) == (0, "")


def test_standard_input_to_standard_output(functrace: Run) -> None:
    done = functrace("inject", "-", stdin=SOURCE)
    assert (done.returncode, done.stdout) == (0, TRACED)
    assert functrace("strip", "-", stdin=TRACED).stdout == SOURCE


def test_one_file_to_standard_output(functrace: Run) -> None:
    done = functrace("inject", "store/store.go")
    assert done.stdout.count("defer functrace.Trace()()") == 2


def test_bad_standard_input(functrace: Run) -> None:
    done = functrace("inject", "-", stdin="package p\n\nfunc f( {\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "<standard input>:3:" in done.stderr


def test_json(functrace: Run) -> None:
    summary = json.loads(functrace("inject", "--check", "--json", ".").stdout)
    assert (summary["file_count"], summary["function_count"], summary["error_messages"]) == (
        2,
        3,
        [],
    )
    assert summary["left_alone"] == {"testdata": 1}


def test_filters(functrace: Run) -> None:
    def instrumented(*arguments: str) -> int:
        done = functrace("inject", "--check", "--json", *arguments, ".")
        return int(json.loads(done.stdout)["function_count"])

    assert instrumented("--include-path", "store") == 2
    assert instrumented("--include", "example.com/shop/store.Get") == 1
    assert instrumented("--include", "Get,help") == 2
    assert instrumented("--include-path", "store", "--include", "main") == 0
    assert instrumented("--exclude-path", "store/...") == 1
    assert instrumented("--exclude-path", "*.go") == 0
    assert instrumented("--exported-only") == 1
    assert instrumented("--min-lines", "2") == 2
    assert instrumented("--all") == 4


def test_settings_from_environment_and_file(module: Path, functrace: Run) -> None:
    def instrumented(**environment: str) -> int:
        done = functrace("inject", "--check", "--json", ".", **environment)
        return int(json.loads(done.stdout)["function_count"])

    assert instrumented(FUNCTRACE_EXCLUDE="help,Get") == 1
    assert instrumented(FUNCTRACE_EXCLUDE_PATH="store,main.go") == 0
    (module / "functrace.toml").write_text('exclude = ["main"]\n')
    assert instrumented() == 2
    assert instrumented(FUNCTRACE_EXCLUDE="help") == 2
    (module / "functrace.toml").write_text("exclude = 3\n")
    wrong = functrace("inject", "--check", ".")
    assert wrong.returncode == 2
    assert "functrace.toml: exclude must be a list of strings" in wrong.stderr


def test_nothing_matched(module: Path, functrace: Run) -> None:
    assert functrace("inject", "--check", "--include", "nosuch", ".").returncode == 1
    (module / "empty").mkdir()
    assert functrace("inject", "--check", "empty").returncode == 1


def test_wrong_usage(functrace: Run) -> None:
    for arguments in (
        ("inject",),
        ("inject", "."),
        ("inject", "-w", "--out", "x", "."),
        ("inject", "-w", "-"),
        ("inject", "-w", "nosuch"),
        ("inject", "-w", "store/notes.txt"),
        ("inject", "--nosuch"),
        ("nosuch",),
    ):
        done = functrace(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr


def test_file_names_that_are_not_utf8(module: Path, functrace: Run) -> None:
    (module / "store" / b"caf\xe9.go".decode("utf-8", "surrogateescape")).write_text(SOURCE)
    bad = "package p\n\nfunc f( {\n"
    (module / "store" / b"b\xff.go".decode("utf-8", "surrogateescape")).write_text(bad)
    for mode in ("--check", "--diff"):
        done = functrace("inject", mode, "store", PYTHONUTF8="1")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert ":3:" in done.stderr


def test_invalid_settings_break_only_verbs_that_use_them(module: Path, functrace: Run) -> None:
    (module / "functrace.toml").write_text("exclude = [\n")
    (module / "a.ftrace").write_bytes(recorded.trace())
    for unaffected in (
        ("info", "a.ftrace"),
        ("export", "a.ftrace", "--to", "json"),
        ("completion", "bash"),
        ("inject", "--help"),
        ("--help",),
    ):
        assert functrace(*unaffected, FUNCTRACE_MIN_LINES="few").returncode == 0
    for affected in (("inject", "--check", "."), ("strip", "--check", "."), ("run", "a.py")):
        done = functrace(*affected)
        assert done.returncode == 2
        assert f"{module / 'functrace.toml'}: " in done.stderr
    done = functrace("doctor")
    assert done.returncode == 1
    assert "functrace.toml: " in done.stdout
