"""Version, help, completion and progress bar of the command."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from functrace import __version__, cli
from functrace.cli import verbs
from tests.cli import recorded
from tests.cli.conftest import Run


def test_version(functrace: Run) -> None:
    assert functrace("--version").stdout == f"functrace {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(functrace: Run, shell: str) -> None:
    assert "_FUNCTRACE_COMPLETE" in functrace("completion", shell).stdout


def test_completion_offers_current_options(functrace: Run) -> None:
    def offered(words: str) -> set[str]:
        done = functrace(
            _FUNCTRACE_COMPLETE="bash_complete",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split()) - 1),
        )
        return {line.partition(",")[2] for line in done.stdout.splitlines()}

    assert {"--errors", "--min-duration", "--color"} <= offered("functrace callers --")
    assert "--slow" not in offered("functrace callers --")
    assert offered("functrace --color n") == {"never"}
    assert offered("functrace serv") == {"services"}
    assert offered("functrace services --to s") == {"svg"}


def test_every_verb_has_help(functrace: Run) -> None:
    for verb in ("inject", "strip", "runtime", "doctor", "completion"):
        assert functrace(verb, "--help").stdout.startswith("Usage: functrace ")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["reprot", "x.ftrace"], "report"),
        (["strp"], "strip"),
        (["app.py", "a b"], "functrace run app.py 'a b'"),
        (["python", "-m", "shop"], "functrace run -m shop"),
        (["python3.11", "-u", "app.py"], "functrace run -u app.py"),
        (["python3.11", "-V"], "functrace run FILE"),
    ],
)
def test_unknown_verb_with_a_suggestion(functrace: Run, words: list[str], meant: str) -> None:
    done = functrace(*words)
    assert done.returncode == 2
    said = f"Error: no such verb: {words[0]}; did you mean {meant}?\n"
    assert done.stderr.endswith(said)


def test_unknown_verb(functrace: Run) -> None:
    assert functrace("xyzzy").stderr.endswith("Error: no such verb: xyzzy\n")


def test_every_verb_is_in_one_group_of_the_help(functrace: Run) -> None:
    groups = functrace("--help").stdout.split("Show this message and exit.\n\n")[1]
    shown = re.findall(r"^  (\w+)", groups, re.MULTILINE)
    modules = {path.stem for path in Path(cli.__file__).parent.glob("*.py")} | {"on", "off"}
    assert shown == [verb for group in verbs.GROUPS.values() for verb in group]
    assert len(shown) == len(set(shown))
    assert set(shown) <= modules
    assert re.findall(r"^(\S.*):$", groups, re.MULTILINE) == list(verbs.GROUPS)


@pytest.mark.parametrize(
    ("before", "after", "environment", "coloured"),
    [
        ([], [], {}, False),
        ([], ["--color", "always"], {}, True),
        (["--color", "always"], [], {}, True),
        (["--color", "always"], ["--color", "never"], {}, False),
        (["--color", "always"], ["--color", "auto"], {}, False),
        ([], [], {"FORCE_COLOR": "1"}, True),
        ([], [], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], [], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        ([], ["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], ["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colour(
    functrace: Run,
    module: Path,
    before: list[str],
    after: list[str],
    environment: dict[str, str],
    coloured: bool,
) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace(failing=True))
    words = {
        "report": ["a.ftrace"],
        "callers": ["*", "a.ftrace"],
        "replay": ["a.ftrace"],
        "info": ["a.ftrace"],
        "inject": ["--diff", "."],
    }
    for verb, arguments in words.items():
        done = functrace(*before, verb, *after, *arguments, **environment)
        assert done.returncode == 0
        assert ("\x1b[" in done.stdout) == coloured, verb


def test_colour_on_a_terminal(module: Path) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    for options, environment, coloured in (
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        (["--color", "never"], {}, False),
    ):
        reader, terminal = pty.openpty()
        command = [sys.executable, "-m", "functrace", "report", "a.ftrace", *options]
        subprocess.run(
            command, cwd=module, stdout=terminal, env={**plain, **environment}, check=True
        )
        os.close(terminal)
        shown = b""
        while chunk := _read(reader):
            shown += chunk
        os.close(reader)
        assert b"main.main" in shown
        assert (b"\x1b[1m" in shown) == coloured


def test_progress_is_shown_on_terminals_only(module: Path, functrace: Run, tmp_path: Path) -> None:
    assert "\x1b" not in functrace("inject", "--out", str(tmp_path / "a"), ".").stderr
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "functrace", "inject", "--out", str(tmp_path / "b"), "."]
    subprocess.run(command, cwd=module, stderr=terminal, check=True)
    os.close(terminal)
    shown = b""
    while chunk := _read(reader):
        shown += chunk
    assert b"\x1b[" in shown
    assert b"functrace inject: 2 files" in shown


def _read(descriptor: int) -> bytes:
    """What is left to read; a terminal that is closed reads as an error."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
