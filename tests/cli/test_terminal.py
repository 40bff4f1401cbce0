"""No content of a trace, file name or source controls the terminal.

Each command runs with a pseudo-terminal as its standard output and error, colours on.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from functrace.export import FORMATS
from tests.cli import hostile
from tests.cli.hostile import ARGUMENT, FILE_NAME, HOSTILE, harm

# Runs many command lines in one process, as a process for each takes seconds.
_DRIVER = r"""
import json, os, sys
from functrace.cli.main import main

terminal = os.dup(1)
for number, words in enumerate(json.load(open(sys.argv[1]))):
    os.dup2(terminal, 1), os.dup2(terminal, 2)  # the command lets go of them after an error
    os.write(1, b"=== COMMAND %d\n" % number)
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        os.write(terminal, b"STATUS %d\n" % (end.code or 0))
"""
_TRACES = ("a.ftrace", f"{FILE_NAME}.ftrace")
_LOOKS = [
    ["triage"],
    ["triage", "--json"],
    ["report"],
    ["report", "--json"],
    ["callers", "*", "--full"],
    ["callers", "*", "--errors"],
    ["callers", "*", "--min-duration", "1ns", "--json"],
    ["callers", ARGUMENT],
    ["callers", "main.*", "--min-duration", "9s"],
    ["graph", "main.*"],
    ["graph", "main.*", "--json"],
    ["replay"],
    ["replay", "--tree"],
    ["replay", "--merge"],
    ["replay", "--errors"],
    ["replay", "--json"],
    ["replay", "--track", "99"],
    ["info"],
    ["info", "--json"],
]
_WRONG = [
    [ARGUMENT],
    ["report", "--sort", ARGUMENT, "a.ftrace"],
    ["report", f"--{ARGUMENT}"],
    ["report", ARGUMENT],
    ["report", "--limit", ARGUMENT, "."],
    ["replay", "--from", ARGUMENT, "a.ftrace"],
    ["export", "--to", "folded", "a.ftrace", "-o", f"nowhere/{FILE_NAME}"],
    ["export", "--to", "otlp", "--sample", ARGUMENT, "a.ftrace"],
    ["hook", "install", "--python", ARGUMENT],
    ["record", "--max-size", ARGUMENT, "true"],
    ["record", "--", ARGUMENT],
    ["runtime", "add", FILE_NAME],
    ["doctor", FILE_NAME],
]


def _shown(command: Sequence[str], folder: Path, **variables: str) -> str:
    """Run a command on a pseudo-terminal of its own and return what it prints."""
    reader, terminal = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FUNCTRACE_")}
    given = {
        **kept,
        "TERM": "xterm",
        "PAGER": "cat",
        "COLUMNS": "200",
        "LC_ALL": "C.UTF-8",
        **variables,
    }
    started = subprocess.Popen(
        command,
        cwd=folder,
        env={**kept, **given},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    parts: list[bytes] = []
    thread = threading.Thread(target=_drain, args=(reader, parts))
    thread.start()
    started.wait(timeout=120)
    thread.join()
    os.close(reader)
    return b"".join(parts).decode(errors="surrogateescape").replace("\r\n", "\n")


def _drain(reader: int, parts: list[bytes]) -> None:
    try:
        while part := os.read(reader, 1 << 16):
            parts.append(part)
    except OSError:  # the terminal is closed
        return


def _all_shown(commands: list[list[str]], folder: Path) -> dict[str, str]:
    """Return what each command prints, by its words."""
    script = folder / "commands.json"
    script.write_text(json.dumps(commands))
    shown = _shown([sys.executable, "-c", _DRIVER, str(script)], folder)
    _, *parts = shown.split("=== COMMAND ")
    assert len(parts) == len(commands), shown[-2000:]
    return {ascii(words): part for words, part in zip(commands, parts, strict=True)}


def _assert_harmless(shown: dict[str, str], *, progress: bool = False) -> None:
    found = {words: harm(text, progress=progress) for words, text in shown.items()}
    assert {words: harms for words, harms in found.items() if harms} == {}
    assert [words for words, text in shown.items() if "Traceback" in text] == []


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """A folder and two traces; the folder and one trace have hostile names."""
    folder = tmp_path / FILE_NAME
    folder.mkdir()
    for number, name in enumerate(_TRACES):
        content = hostile.trace(language=number + 1, pid=4194303 + number, ticks=10 + 90 * number)
        (folder / name).write_bytes(content)
    return folder


def test_verbs_that_read_traces(traces: Path) -> None:
    commands = [[*words, *_TRACES] for words in _LOOKS]
    commands += [
        ["triage", "."],
        ["triage", "--limit", "0", "a.ftrace"],
        ["report", "."],
        ["info", str(traces)],
        ["diff", "--with-chance", "--limit", "0", *_TRACES],
    ]
    shown = _all_shown(commands, traces)
    _assert_harmless(shown)
    assert "\x1b[1m" in shown[ascii(commands[0])]  # styles of our own are there
    assert r"\x1b]0;title\x07" in shown[ascii(commands[0])]
    assert r"\nFORGED\tTAB\n" in shown[ascii(["replay", *_TRACES])]


def test_exports_to_a_terminal(traces: Path) -> None:
    formats = [name for name, wanted in FORMATS.items() if wanted.suffix]
    commands = [["export", "--to", name, *_TRACES] for name in formats]
    commands += [
        ["export", "--to", name, *_TRACES, "-o", f"{FILE_NAME}.{name}"] for name in formats
    ]
    _assert_harmless(_all_shown(commands, traces))


def test_exported_names_stay_on_one_line(traces: Path) -> None:
    _all_shown([["export", "--to", "folded", *_TRACES, "-o", "x.folded"]], traces)
    for line in (traces / "x.folded").read_text().split("\n")[:-1]:
        frames, _, weight = line.rpartition(" ")
        assert weight.isdecimal()
        assert harm(frames) == []
        assert len(frames.split(";")) <= 5


def test_damaged_and_missing_traces(traces: Path) -> None:
    content = (traces / "a.ftrace").read_bytes()
    (traces / f"cut{FILE_NAME}.ftrace").write_bytes(content[:-700])
    (traces / f"no{FILE_NAME}.ftrace").write_bytes(b"\x1b[2J")
    (traces / os.fsdecode(b"bytes\xff\x9b2J.ftrace")).write_bytes(content)
    shown = _all_shown([["report", "."], ["replay", "."], ["info", "."], *_WRONG], traces)
    _assert_harmless(shown)
    assert "ignored: unreadable" in shown[ascii(["report", "."])]


def test_sources(tmp_path: Path) -> None:
    root = tmp_path / f"src{FILE_NAME}"
    root.mkdir()
    (root / "broken\x1b[2J.py").write_text("def f(:\x1b]0;x\x07\n")
    text = "\x1b[2J\x1b]0;x\x07\x9b31m\u202e\u200b\x08\x7f"
    (root / "long.py").write_text(f"# {text}\ndef f():\n    return 1\n")
    (root / f"g{FILE_NAME}.go").write_text('package g\n\nfunc F() {\n\tprintln("\x1b[2J")\n}\n')
    commands = [
        ["inject", "--check", "-v", "."],
        ["inject", "--diff", "."],
        ["inject", "long.py"],
        ["inject", "--json", "--check", "."],
        ["inject", "--out", f"../out{FILE_NAME}", ".", "--exclude", ARGUMENT],
        ["inject", "-w", "-v", "."],
        ["strip", "-w", "-v", "."],
        ["doctor", "."],
    ]
    shown = _all_shown(commands, root)
    _assert_harmless(shown, progress=True)
    assert r"broken\x1b[2J.py" in shown[ascii(commands[0])]


def test_summaries_of_run_and_record(tmp_path: Path) -> None:
    app = tmp_path / "app\x1b[2J\nFORGED.py"
    body = f"def f():\n    raise ValueError({HOSTILE!a})\n"
    app.write_text(f"{body}try:\n    f()\nexcept ValueError:\n    pass\n")
    functrace = [sys.executable, "-m", "functrace"]
    shown = _shown([*functrace, "run", "--record", app.name, FILE_NAME], tmp_path)
    assert "f failed 1x" in shown
    assert harm(shown) == []


@pytest.mark.parametrize("name", ["FUNCTRACE", "FUNCTRACE_MAX_SIZE"])
def test_settings_of_a_program(tmp_path: Path, name: str) -> None:
    (tmp_path / "app.py").write_text("def f():\n    return len([])\n\nf()\n")
    command = [sys.executable, "-m", "functrace", "run", "app.py"]
    shown = _shown(command, tmp_path, **{"FUNCTRACE": "text", name: ARGUMENT})
    assert r"\x1b]0;title\x07" in shown
    assert harm(shown) == []


def test_names_in_printed_calls(tmp_path: Path) -> None:
    code = f"import functrace\ndef f(): pass\nf.__qualname__ = {HOSTILE!a}\nfunctrace.trace(f)()\n"
    shown = _shown([sys.executable, "-c", code], tmp_path, FUNCTRACE="text")
    assert r"->__main__.\x1b[2J" in shown
    assert harm(shown) == []
