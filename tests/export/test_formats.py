"""Figures of every format, read by independent readers, equal those of report."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import jsonschema
import pytest
from click.testing import CliRunner
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from functrace.cli.export import export
from functrace.cli.report import report
from functrace.export import FORMATS
from functrace.runtime.escaping import escape
from tests.cli import mall
from tests.export import program, readers, viewer
from tests.export.readers import READERS, Told
from tests.tracefile.meaning import IMPLEMENTATIONS, implementation
from tests.tracefile.vectors import VECTORS

DOCS = Path(__file__).parents[2] / "docs" / "exports.md"
DEMOTED = Path(__file__).parents[1] / "vectors" / "demoted.ftrace"
FILES = [name for name, wanted in FORMATS.items() if wanted.suffix]


def exported(traces: list[Path], to: str, *options: str) -> Path:
    if to == "svg" and shutil.which("dot") is None:
        pytest.skip("graphviz, which draws call graphs, is not installed")
    out = traces[0].with_name(f"out{FORMATS[to].suffix}")
    arguments = [*map(str, traces), "--to", to, "-o", str(out), *options]
    done = CliRunner().invoke(export, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return out


def reported(traces: list[Path]) -> dict[str, Told]:
    done = CliRunner().invoke(report, [*map(str, traces), "--json"])
    functions = json.loads(done.stdout)["functions"] if done.exit_code == 0 else []
    return {f["function"]: Told(f["calls"], f["self_ns"], f["failed"]) for f in functions}


def plain(name: str, to: str) -> str:
    """A function's name as the format can have it."""
    if to == "folded":
        return escape(name).replace(";", ":")
    if to in ("dot", "svg"):
        return escape(name.rpartition("/")[2])
    return name


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("python", IMPLEMENTATIONS)
@pytest.mark.parametrize("to", FILES)
def test_figures_equal_those_of_report(tmp_path: Path, to: str, python: str, count: int) -> None:
    traces = program.write(tmp_path)[:count]
    with implementation(python):
        read = READERS[to](exported(traces, to))
    same(read, to, traces)


@pytest.mark.parametrize("to", FILES)
def test_figures_of_all_vectors(tmp_path: Path, to: str) -> None:
    for name, content in VECTORS.items():
        trace = tmp_path / name / f"{name}.ftrace"
        trace.parent.mkdir()
        trace.write_bytes(content)
        same(READERS[to](exported([trace], to)), to, [trace])


def same(read: dict[str, Told], to: str, traces: list[Path]) -> None:
    expected = {plain(name, to): figures for name, figures in reported(traces).items()}
    assert set(read) <= set(expected)
    for name, figures in expected.items():
        found = read.get(name, Told())
        for fact, value in vars(figures).items():
            # A function that a format does not contain has no calls.
            got = getattr(found, fact)
            assert got == value or (got is None and (value == 0 or not _tells(read, fact))), name


def _tells(read: dict[str, Told], fact: str) -> bool:
    return any(getattr(figures, fact) is not None for figures in read.values())


def test_each_format_has_a_reader() -> None:
    assert list(READERS) == FILES


def test_folded_by_calls_and_errors(tmp_path: Path) -> None:
    traces = program.write(tmp_path)
    expected = reported(traces)
    for by, fact in (("calls", "calls"), ("errors", "failed")):
        read = readers.folded(exported(traces, "folded", "--by", by))
        wanted = {plain(name, "folded"): getattr(row, fact) for name, row in expected.items()}
        assert {name: figures.own for name, figures in read.items()} == {
            name: value for name, value in wanted.items() if value
        }
    frames = exported(traces, "folded").read_text("utf-8").splitlines()
    assert {line.partition(";")[0] for line in frames} == {"shop 4194303"}


def test_perfetto_has_processes_tracks_and_arrows(tmp_path: Path) -> None:
    path = exported(program.write(tmp_path), "perfetto")
    trace = pb.Trace.FromString(path.read_bytes())
    described = [p.track_descriptor for p in trace.packet if p.HasField("track_descriptor")]
    found = [each.process for each in described if each.HasField("process")]
    assert [each.process_name for each in found] == ["shop 4194303"] * 2
    assert len({each.pid for each in found}) == 2
    assert list(found[0].cmdline) == ["./shop", "-v", "a b"]
    names = {each.uuid: each.name for each in described if not each.HasField("process")}
    processes = {each.uuid for each in described if each.HasField("process")}
    assert {each.parent_uuid for each in described if each.uuid in names} == processes
    assert sorted(names.values()) == [
        *("goroutine 1", "goroutine 1", "goroutine 8", "goroutine 9", "task 7 Task-2")
    ]
    begun = {flow: packet for packet in readers.packets(path) for flow in packet[1].flow_ids}
    ended = {
        flow: packet for packet in readers.packets(path) for flow in packet[1].terminating_flow_ids
    }
    # Nothing was called on goroutine 9.
    arrows = {names[flow]: (names[p[0]], p[2], p[1].name) for flow, p in begun.items()}
    assert arrows == {
        "task 7 Task-2": ("goroutine 1", 100, "starts task 7 Task-2"),
        "goroutine 8": ("goroutine 1", 190, "starts goroutine 8"),
        "goroutine 9": ("task 7 Task-2", 195, "starts goroutine 9"),
    }
    assert {(names[f], names[p[0]], p[2]) for f, p in ended.items()} == {
        ("task 7 Task-2", "task 7 Task-2", 105),
        ("goroutine 8", "goroutine 8", 200),
    }
    starts = [packet[2] for packet in readers.packets(path) if names[packet[0]] == "goroutine 1"]
    assert 2_000_000 in starts  # the second process began two milliseconds later


def test_perfetto_has_arrows_between_the_ends_of_requests(tmp_path: Path) -> None:
    folder = mall.write(tmp_path / "mall", payments=1)
    path = exported(sorted(folder.glob("*.ftrace")), "perfetto")
    begun = {flow: packet for packet in readers.packets(path) for flow in packet[1].flow_ids}
    ended = {
        flow: packet for packet in readers.packets(path) for flow in packet[1].terminating_flow_ids
    }
    arrows = [(begun[flow][2], ended[flow][2]) for flow in begun if flow >= 1 << 48]
    us = 1000
    assert sorted(arrows)[:2] == [(20 * us, 40 * us), (70 * us, 110 * us)]
    sent, arrived = sorted(arrows)[2]  # by aligned clocks: the store's is seven seconds ahead
    assert sent == 130 * us
    assert sent < arrived < 310 * us


def test_perfetto_call_endings(tmp_path: Path) -> None:
    path = exported(program.write(tmp_path)[:1], "perfetto")
    figures = Counter(
        (interned["debug_annotation_names", each.name_iid], each.bool_value or text)
        for _, event, _, interned in readers.packets(path)
        for each in event.debug_annotations
        if each.name_iid
        for text in [interned.get(("debug_annotation_string_values", each.string_value_iid))]
    )
    assert figures == {
        ("error", 'no <item> & "13" ]]> größe'): 2,
        ("panic", "nil map"): 2,
        ("goexit", True): 1,
        ("unfinished", True): 2,
    }


def test_chrome_arrows_end_at_the_first_call(tmp_path: Path) -> None:
    path = exported(program.write(tmp_path), "chrome")
    events = json.loads(path.read_bytes())["traceEvents"]
    flows = {(e["ph"], e["id"]): (e["tid"], e["ts"]) for e in events if e["ph"] in "sf"}
    assert flows == {
        ("s", "4194303-7"): (1, 0.1),
        ("f", "4194303-7"): (7, 0.105),
        ("s", "4194303-8"): (1, 0.19),
        ("f", "4194303-8"): (8, 0.2),
        ("s", "4194303-9"): (7, 0.195),
    }


def test_speedscope_by_its_schema(tmp_path: Path) -> None:
    schema = json.loads(viewer.files().joinpath("file-format-schema.json").read_text())
    written = json.loads(exported(program.write(tmp_path), "speedscope").read_text())
    jsonschema.Draft7Validator(schema).validate(written)
    assert [profile["name"] for profile in written["profiles"]] == [
        "shop 4194303: goroutine 1",
        "shop 4194303: task 7 Task-2",
        "shop 4194303: goroutine 8",
        "shop 4194303: goroutine 1",
    ]


def test_pprof_labels_and_difference(tmp_path: Path) -> None:
    path = str(exported(program.write(tmp_path), "pprof"))
    tags = readers.pprof_says("-tags", "-sample_index=errors", path)
    assert re.search(r"error: Total 4 of 4", tags)
    assert "process: Total" in tags
    assert "main.work" in tags[tags.index("track:") :]
    base = readers.pprof_says("-top", "-diff_base", path, path)
    assert re.search(r"Showing nodes accounting for 0, 0%", base)


def test_call_graph_limit(tmp_path: Path) -> None:
    read = readers.dot(exported(program.write(tmp_path), "dot", "--limit", "2"))
    assert len(read) == 2  # failed ones come first
    assert all(figures.failed for figures in read.values())


def test_large_flame_graph_omits_smallest_chains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functrace.export.flamegraph._MAX_CHAINS", 4)
    text = exported(program.write(tmp_path)[1:], "flamegraph").read_text("utf-8")
    assert "omitted" not in text
    traces = program.write(tmp_path)[:1]
    path = exported(traces, "flamegraph")
    assert "smallest chains omitted" in path.read_text("utf-8")
    assert sum((figures.calls or 0) > 0 for figures in readers.flamegraph(path).values()) <= 3


def test_parquet_tables_join(tmp_path: Path) -> None:
    folder = exported(program.write(tmp_path), "parquet")
    rows = duckdb.sql(
        f"""SELECT t.kind, t.track, c.function, t.line
        FROM '{folder}/tracks.parquet' t JOIN '{folder}/calls/*.parquet' c
        ON c.process = t.process AND c.call = t.parent_call ORDER BY t.track"""
    ).fetchall()
    assert rows == [
        ("task", 7, "example.com/shop.(*Shop).Sell", 22),
        ("goroutine", 8, "main.Map[int;string]", None),
        ("goroutine", 9, "main.work", 41),
    ]
    parents = duckdb.sql(
        f"""SELECT c.function, p.function FROM '{folder}/calls/*.parquet' c
        JOIN '{folder}/calls/*.parquet' p ON p.process = c.process AND p.call = c.parent
        WHERE c.panic = 'nil map'"""
    ).fetchall()
    assert ("main.Map[int;string]", "example.com/shop.(*Shop).Sell") in parents
    assert (
        duckdb.sql(f"SELECT pid FROM '{folder}/processes.parquet'").fetchall() == [(4194303,)] * 2
    )


def test_parquet_lists_demotions(tmp_path: Path) -> None:
    traces = [*program.write(tmp_path), DEMOTED]
    folder = exported(traces, "parquet")
    rows = duckdb.sql(f"SELECT * FROM '{folder}/demotions.parquet'").fetchall()
    assert rows == [
        (2, "main.price", 32, 80, 42_000_000, True),
        (2, "main.price", 95, 95, 4_294_967_295, True),
        (2, "main.work", 70, None, 9_000_000, False),
    ]


def test_queries_of_the_docs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    traces = [*program.write(tmp_path), DEMOTED]
    exported(traces, "parquet").rename("shop.parquet")
    queries = re.findall(r"```sql\n(.*?)```", DOCS.read_text("utf-8"), re.S)
    assert len(queries) >= 5
    for query in queries:
        assert duckdb.sql(query).fetchall(), query
