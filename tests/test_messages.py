"""Messages have one line per argument of an error, and no argument breaks a line."""

from __future__ import annotations

import sys

import pytest

from functrace import messages
from functrace.errors import FunctraceError


def test_one_line_per_argument_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = FunctraceError("cannot build:", "  a\nb\x1b[2J.go:1", "  c")
    messages.write_message(*error.args)
    assert capsys.readouterr().err == "functrace: cannot build:\n  a\\nb\\x1b[2J.go:1\n  c\n"
    assert str(error) == "cannot build:\n  a\nb\x1b[2J.go:1\n  c"


def test_output_of_another_program(capsys: pytest.CaptureFixture[str]) -> None:
    messages.write_output("a.go:1:\tbäd \x1b]0;x\x07\n".encode() + b"\xff\n", sys.stdout)
    assert capsys.readouterr().out == "a.go:1:\tbäd \\x1b]0;x\\x07\n\\xff\n"


def test_shell_command(capsys: pytest.CaptureFixture[str]) -> None:
    messages.write_command("go build 'a\x1b'")
    assert capsys.readouterr().out == "go build 'a\x1b'\n"
