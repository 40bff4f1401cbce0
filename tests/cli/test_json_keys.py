"""Every key that a verb prints is in docs/json.md, and means one thing everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from functrace.cli import verbs
from tests.analysis.recorded import Recorded
from tests.cli import faulty, mall, shop
from tests.export import program
from tests.support import fleet_store
from tests.support.fleet import Plan
from tests.tracefile.vectors import FOLDER

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")
# Their own keys are data.
FREE = (
    "process_facts",
    "skipped",
    "left_alone",
    "join",
    "joined_inbound_calls",
    "attributed_outbound_calls",
)

STORY = "replay mall/edge.ftrace mall/clamped.ftrace --request edge:1 --json"
RUNS = {
    "triage": ["triage . --json", "triage --store store --json"],
    "report": ["report . --json", "report --store store --json"],
    "callers": [
        "callers Get --store store --json",
        "callers * . --json",
        "callers Get . --json",
        "callers main.walk a.ftrace --json",
    ],
    "graph": ["graph main.* . --json --min-share 0"],
    "info": ["info . --json"],
    "services": ["services mall --json", "services --store store --json"],
    "replay": ["replay . --json", "replay mall --request store:3 --json", STORY],
    "diff": [
        "diff monday.ftrace tuesday.ftrace --json",
        "diff fast.ftrace slow.ftrace --json",
        "diff --store fleet shop@1.4 shop@1.5 --json",
    ],
    "export": ["export . --to json", "export . --to jsonl"],
    "inject": ["inject --check --json src"],
    "strip": ["strip --check --json src"],
    "rollup": ["rollup . -o store --json"],
    "store": ["store compact store --json"],
    "doctor": ["doctor --json src"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Traces with all that can be in one, and sources of both languages."""
    shop.monday(tmp_path)
    shop.tuesday(tmp_path)
    faulty.faulty(tmp_path / "faulty.ftrace")
    program.write(tmp_path)
    mall.write(tmp_path / "mall")
    mall.clamped(tmp_path / "mall")
    for path in FOLDER.glob("*.ftrace"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for name, took in (("fast", 1000), ("slow", 5000)):
        recorded = Recorded("main.work")
        recorded.goroutine(1).call("main.work", times=100, took=took)
        recorded.write(tmp_path / f"{name}.ftrace")
    fleet_store.write(tmp_path / "fleet", Plan(60, {"shop": 20}))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def f():\n    return 1\n\ndef g(): return f()\n")
    (tmp_path / "src" / "broken.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    printed("rollup . -o store --service shop --json")
    return tmp_path


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            if key not in FREE:
                yield from keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from keys(each)


def printed(line: str) -> set[str]:
    done = CliRunner().invoke(verbs.functrace, line.split())
    assert done.stdout, done.output
    text = done.stdout
    lines = text.splitlines() if "replay" in line or "jsonl" in line else [text]
    return {key for each in lines for key in keys(json.loads(each))}


def table_keys(section: str, column: int) -> list[str]:
    rows = re.findall(r"^\| `.*\|$", section, re.M)
    return [key for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[column])]


def test_every_verb_with_json_is_here() -> None:
    context = click.Context(verbs.functrace)
    named = {name: verbs.functrace.get_command(context, name) for name in RUNS} | {
        name: verbs.functrace.get_command(context, name)
        for name in verbs.functrace.list_commands(context)
    }
    having = {
        name
        for name, command in named.items()
        if command and any("--json" in parameter.opts for parameter in command.params)
    }
    assert having | {"export", "store"} == set(RUNS) | {"watch"}  # which docs/watch.md describes
    verbs_of_page = PAGE.split("## Verbs")[1].split("## Keys")[0]
    for name in RUNS:
        assert re.search(rf"^\| .*`{name}[` ]", verbs_of_page, re.M), name


@pytest.mark.usefixtures("folder")
def test_all_keys_are_documented() -> None:
    documented = table_keys(PAGE.split("## Keys")[1], 1)
    assert len(documented) == len(set(documented))
    found = {verb: set().union(*map(printed, lines)) for verb, lines in RUNS.items()}
    for verb, of_verb in found.items():
        assert of_verb - set(documented) == set(), verb
    assert set(documented) - set().union(*found.values()) == set()
    # The table of verbs uses no other key than the table of keys.
    shapes = PAGE.split("## Verbs")[1].split("## Keys")[0]
    words = {key for row in shapes.splitlines() for key in re.findall(r"`(\w+)`", row)}
    assert words - set(documented) <= set(RUNS)


@pytest.mark.usefixtures("folder")
def test_times_and_sizes_have_a_unit() -> None:
    found = set().union(*(printed(line) for lines in RUNS.values() for line in lines))
    times = re.compile(r"(total|self|suspended|min|mean|max|p\d+|duration|start|added|event)$")
    assert not [key for key in found if times.search(key)]
    assert not found & {"bytes", "size"}
