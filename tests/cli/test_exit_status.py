"""Exit status of every verb: 0 done, 1 something failed or nothing matched, 2 wrong usage."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from functrace.cli import verbs
from tests.cli import recorded
from tests.cli.conftest import Run

NOTHING = [
    "callers nosuch a.ftrace",
    "callers --errors main a.ftrace",
    "callers --min-duration 9m main a.ftrace",
    "callers --min-count 999 main a.ftrace",
    "report --include nosuch a.ftrace",
    "report --errors a.ftrace",
    "graph nosuch a.ftrace",
    "replay --errors a.ftrace",
    "replay --errors --json a.ftrace",
    "replay --include nosuch --tree a.ftrace",
    "replay --include nosuch --json a.ftrace a.ftrace",
    "replay --track 99 a.ftrace",
    "replay --from 9s --json a.ftrace",
    "replay --around nosuch a.ftrace",
    "inject --check --include nosuch .",
    "strip --check empty",
    "runtime remove",
    "record -- true",
]
FAILED = [
    *(
        f"{verb} nosuch.ftrace"
        for verb in ("callers x", "report", "graph x", "replay", "info", "triage")
    ),
    *(f"{verb} empty" for verb in ("callers x", "report", "graph x", "replay", "info", "triage")),
    "diff a.ftrace nosuch.ftrace",
    "export --to json nosuch.ftrace",
    "export --to json -o a.ftrace a.ftrace",
]
WRONG = [
    *(f"{verb} --nosuch" for group in verbs.GROUPS.values() for verb in group if verb != "record"),
    *("callers", "report", "graph x", "replay", "info", "diff a.ftrace", "export a.ftrace"),
    "triage",
    *("inject", "strip", "go", "run", "record", "completion tcsh", "runtime", "hook"),
    "callers --min-duration soon main a.ftrace",
    "callers --limit -1 main a.ftrace",
    "report --sort nosuch a.ftrace",
    "triage --limit -1 a.ftrace",
    "graph --depth 0 main a.ftrace",
    "replay --from soon a.ftrace",
    "replay --min-duration soon a.ftrace",
    "export --to nosuch a.ftrace",
    "export --to json --by calls a.ftrace",
    "record --max-size much -- true",
    "record --min-duration soon -- true",
    "runtime add --out ../x",
    "go fmt",
    "--color sometimes info a.ftrace",
    "nosuch",
]
DONE = [
    *(f"{verb} a.ftrace" for verb in ("callers main", "report", "graph main", "replay", "info")),
    *("triage a.ftrace", "triage --json --limit 1 a.ftrace"),
    *("replay --json a.ftrace", "diff a.ftrace a.ftrace", "diff --exit-code a.ftrace a.ftrace"),
    *("export --to json a.ftrace", "inject --diff .", "strip --check .", "completion bash"),
]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (command, status)
        for status, commands in ((0, DONE), (1, NOTHING), (1, FAILED), (2, WRONG))
        for command in commands
    ],
)
def test_exit_status(module: Path, functrace: Run, command: str, status: int) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    (module / "empty").mkdir()
    done = functrace(*shlex.split(command))
    assert done.returncode == status, done.stderr
    if status:
        assert done.stderr
        assert not done.stdout


def test_every_reading_verb_prints_json(functrace: Run) -> None:
    for verb in verbs.GROUPS["Read a trace"].keys() - {"view"}:  # which shows a page
        assert "--json " in functrace(verb, "--help").stdout
