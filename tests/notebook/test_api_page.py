"""docs/api.md: its examples run, and it lists what there is."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

import pandas
import pytest

from functrace import notebook
from functrace.export import arrow_tables, demotion_table
from tests.cli import shop

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "api.md").read_text("utf-8")
TABLES = (
    notebook.Calls,
    notebook.Chains,
    notebook.Tracks,
    notebook.Functions,
    notebook.Requests,
    notebook.Processes,
)


def test_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.monday(tmp_path)
    shop.tuesday(tmp_path)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```pycon\n(.*?)^```", PAGE, re.M | re.S)
    assert len(blocks) >= 4
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "api.md", None, 0)
    found: list[str] = []
    with pandas.option_context("display.width", 120, "display.max_columns", 20):
        doctest.DocTestRunner(verbose=False).run(test, out=found.append)
    assert not found, "".join(found)


def _cells(section: str, column: int) -> set[str]:
    rows = re.findall(r"^\| .* \|$", section, re.M)
    return {name for row in rows for name in re.findall(r"`(\w+)", row.split("|")[column])}


def test_columns_are_those_of_the_tables() -> None:
    section = PAGE.split("## Columns")[1]
    schemas = {
        "calls": arrow_tables.CALLS,
        "chains": arrow_tables.CHAINS,
        "tracks": arrow_tables.TRACKS,
        "functions": arrow_tables.FUNCTIONS,
        "requests": arrow_tables.REQUESTS,
        "processes": arrow_tables.PROCESSES,
        "demotions": demotion_table.DEMOTIONS,
    }
    written: dict[str, set[str]] = {name: set() for name in schemas}
    for row in re.findall(r"^\| `.* \|$", section, re.M):
        _, columns, of, *_ = row.split("|")
        for name in of.split("(")[0].split(","):
            written[name.strip()] |= set(re.findall(r"`(\w+)`", columns))
    for name, schema in schemas.items():
        assert set(schema.names) <= written[name], name
        listed = re.search(rf"^\| `{name}[./].*\|$", (DOCS / "exports.md").read_text("utf-8"), re.M)
        assert listed
        assert re.findall(r"`(\w+)`", listed[0].split("|")[3]) == schema.names


def test_members_are_documented() -> None:
    opened = _cells(PAGE.split("## Open traces")[1].split("## Tables")[0], 1)
    public = {name for name in vars(notebook.Traces) if not name.startswith("_")}
    assert opened == public
    methods = _cells(PAGE.split("## Tables")[1].split("`filter` takes")[0], 1)
    public = {name for name in vars(notebook.Table) if not name.startswith("_")}
    assert methods == (public | {"filter"}) - {"name"}
    arguments = _cells(PAGE.split("`filter` takes")[1].split("A trace that")[0], 1)
    has = {
        a for t in TABLES if hasattr(t, "filter") for a in inspect.signature(t.filter).parameters
    }
    assert arguments == has - {"self"}
