"""functrace.open: traces as complete tables, closed at the end of the block."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import functrace
from functrace.errors import FunctraceError, UsageError
from functrace.export import parquet
from functrace.extras import MissingExtraError
from functrace.notebook import Traces
from functrace.tracefile import open_trace
from tests.cli import shop
from tests.export import program
from tests.tracefile import large
from tests.tracefile import writer as w
from tests.tracefile.vectors import FOLDER, VECTORS

TABLES = ("calls", "chains", "tracks", "functions", "requests", "processes")
MANY = 3_000_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.ftrace"
    large.write(path, MANY)
    return path


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Traces]:
    with functrace.open(program.write(tmp_path)) as traces:
        yield traces


def is_mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


def test_every_call_of_millions(many: Path) -> None:
    with functrace.open(many) as trace:
        calls = trace.calls()
        sizes = [batch.num_rows for batch in calls.batches()]
        assert sum(sizes) == MANY + 1
        assert max(sizes) < 300_000
        assert calls.count_rows() == MANY + 1
        table = calls.filter(function="price").to_arrow()
        assert table.num_rows == MANY
        assert table.column("start_ns").to_numpy()[-1] == 10 * (MANY - 1)
        assert f"{MANY + 1:,} calls" in repr(trace)
        assert trace.losses == []


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_those_of_parquet(tmp_path: Path, name: str) -> None:
    paths = [*program.write(tmp_path), *(FOLDER / f"{each}.ftrace" for each in VECTORS)]
    parquet.write([open_trace(path) for path in paths], tmp_path / "out")
    written = pq.read_table(tmp_path / "out" / (name if name == "calls" else f"{name}.parquet"))
    with functrace.open(paths) as traces:
        table = getattr(traces, name)()
        assert table.to_arrow().to_pylist() == written.to_pylist()
        assert table.to_arrow().schema == table.schema == written.schema
        assert table.count_rows() == written.num_rows > 0


def test_requests() -> None:
    with functrace.open(FOLDER / "requests.ftrace") as trace:
        table = trace.requests()
        rows = table.to_arrow().to_pylist()
        shown = [
            [
                row[name]
                for name in ("request", "direction", "function", "status", "inbound", "join")
            ]
            for row in rows
        ]
        assert shown == [
            [1, "inbound", "GET /users/{id}", 500, None, None],
            [2, "outbound", "POST payments/pay", 503, 1, "context"],
            [4, "inbound", "GET /users/{id}", None, None, None],
            [5, "inbound", "GET /users/{id}", None, None, None],
            [3, "outbound", "grpc store.Store/Get", 14, None, None],
        ]
        assert rows[0]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert rows[0]["span_id"] == "00f067aa0ba902b7"
        assert (rows[0]["caller_process"], rows[0]["caller_request"]) == ("ffeeddccbbaa9988", 26)
        assert rows[0]["route"] == "GET /users/{name}"
        assert (rows[1]["own_ids"], rows[2]["trace_id"], rows[3]["duration_ns"]) == (1, None, None)
        failed = table.filter(failed=True, function="POST?payments*").to_pandas()
        assert failed["request"].tolist() == [2]
        assert table.filter(failed=False).count_rows() == 1
        calls = {row["call"]: row for row in trace.calls().to_arrow().to_pylist()}
        assert [calls[row["call"]]["start_ns"] for row in rows] == [row["start_ns"] for row in rows]
        assert trace.path(rows[1]["chain"])[-1] == "POST payments/pay"
        (process,) = trace.processes().to_arrow().to_pylist()
        assert process["service"] == "shop"


def test_a_request_whose_entry_was_overwritten_has_no_name(tmp_path: Path) -> None:
    content = w.header(version=2, flags=4, last_overwritten=5) + w.REQUEST_FUNCTIONS
    words = [w.switch(1, 9, opened=1), w.request(4), w.enter(4, 30), w.leave(4, 40)]
    (tmp_path / "ring.ftrace").write_bytes(content + w.events(6, *words))
    with functrace.open(tmp_path) as trace:
        (row,) = trace.requests().to_arrow().to_pylist()
    assert row["request"] == 4
    names = ("function", "function_id", "call", "chain", "duration_ns", "status")
    assert [row[name] for name in names] == [None] * 6


def test_demotions() -> None:
    with functrace.open([FOLDER / "calls.ftrace", FOLDER / "demoted.ftrace"]) as traces:
        assert [(span["process"], span["function"]) for span in traces.demotions] == [
            (1, "main.price"),
            (1, "main.price"),
            (1, "main.work"),
        ]
        assert pandas.DataFrame(traces.demotions)["end_ns"].tolist()[:2] == [80, 95]
        assert "2 functions were not recorded all the time" in traces.losses[-1]
    with pytest.raises(FunctraceError, match="closed"):
        _ = traces.demotions


@pytest.mark.parametrize("name", TABLES)
def test_pandas_and_polars_have_the_same_rows(tmp_path: Path, name: str) -> None:
    with functrace.open([*program.write(tmp_path), FOLDER / "requests.ftrace"]) as traces:
        table = getattr(traces, name)()
        rows, frame = table.to_arrow().to_pylist(), table.to_pandas()
        polars_rows = table.to_polars().to_dicts()
    assert list(frame.columns) == list(rows[0])
    for row, of_pandas in zip(rows, frame.to_dict("records"), strict=True):
        for key, value in row.items():
            if value is None:
                assert pandas.isna(of_pandas[key])
            elif not isinstance(value, list):
                assert of_pandas[key] == value
    plain = [key for key in rows[0] if key != "started" or name != "processes"]
    for row, of_polars in zip(rows, polars_rows, strict=True):
        assert {key: of_polars[key] for key in plain} == {key: row[key] for key in plain}


def test_filters_add_up(both: Traces) -> None:
    def count(**criteria: object) -> int:
        return both.calls().filter(**criteria).count_rows()  # type: ignore[arg-type]

    every = both.calls().to_arrow().to_pylist()
    sells = [row for row in every if row["function"].endswith("Sell")]
    assert count(function="Sell") == count(function=["Sell", "nowhere"]) == len(sells) == 3
    assert count(failed=True) + count(failed=False) == len(every)
    assert count(failed=True) == 4
    long = [row for row in every if row["duration_ns"] >= 1000]
    assert count(min_duration="1us") == count(min_duration=1000) == len(long)
    assert count(track=[7, 8], process=0) == sum(row["track"] in (7, 8) for row in every)
    assert count(process=1) == sum(row["process"] == 1 for row in every)
    assert count(process=9) == count(function="nowhere") == 0
    chosen = both.calls().filter(function="Sell").filter(failed=True, process=0)
    assert [row["call"] for row in chosen.to_arrow().to_pylist()] == [
        row["call"] for row in sells if row["process"] == 0 and (row["error"] or row["panic"])
    ]
    assert len(chosen.to_pandas()) == len(chosen.to_polars()) == 2
    assert both.chains().filter(failed=True, process=0).count_rows() == 3
    assert both.functions().filter(function="Sell", failed=True).count_rows() == 1
    assert both.tracks().filter(track=7, process=0).count_rows() == 1
    assert repr(chosen) == (
        "<calls of 2 traces, filter(function='Sell'), filter(failed=True, process=0)>"
    )


def test_no_row_is_a_table_as_well(both: Traces) -> None:
    empty = both.calls().filter(function="nowhere")
    assert list(empty.batches()) == []
    assert empty.to_arrow().schema.equals(both.calls().schema)
    assert list(empty.to_pandas().columns) == empty.to_polars().columns == empty.schema.names


def test_wrong_duration(both: Traces) -> None:
    with pytest.raises(UsageError, match="soon is not a time"):
        both.calls().filter(min_duration="soon")


def test_path_of_a_chain(both: Traces) -> None:
    for row in both.chains().to_arrow().to_pylist():
        path = both.path(row["chain"], row["process"])
        assert path[-1] == row["function"]
        assert path[-2:-1] == ([row["caller"]] if row["caller"] else [])
    with pytest.raises(IndexError, match="chain 999"):
        both.path(999)
    with pytest.raises(IndexError, match="process 2"):
        both.path(0, process=2)


def test_the_file_is_closed_at_the_end_of_the_block(tmp_path: Path) -> None:
    path = shop.monday(tmp_path)
    with functrace.open(path) as trace:
        kept = trace.calls().to_arrow()
        begun = trace.calls().batches()
        assert trace.calls().count_rows() == kept.num_rows
        assert is_mapped(path) or sys.platform != "linux"
    assert trace.is_closed
    assert sys.platform != "linux" or not is_mapped(path)
    assert kept.column("function").to_pylist()[0].endswith("store.open")
    assert repr(trace) == "<functrace traces: monday.ftrace, closed>"
    attempts = (
        lambda: trace.calls().to_arrow(),
        lambda: next(begun),
        lambda: trace.functions().to_pandas(),
        lambda: trace.losses,
        lambda: trace.path(0),
        trace.__enter__,
    )
    for attempt in attempts:
        with pytest.raises(FunctraceError, match=r"monday\.ftrace: the traces are closed"):
            attempt()
    trace.close()


def test_a_begun_iteration_ends_when_the_trace_is_closed(many: Path) -> None:
    trace = functrace.open(many)
    begun = trace.calls().batches()
    next(begun)
    trace.close()
    with pytest.raises(FunctraceError, match="closed"):
        next(begun)


def test_folders_and_unreadable_files(tmp_path: Path) -> None:
    shop.monday(tmp_path)
    shop.tuesday(tmp_path)
    with functrace.open(str(tmp_path)) as traces:
        found = traces.processes().to_arrow().column("trace").to_pylist()
    assert [Path(path).name for path in found] == ["monday.ftrace", "tuesday.ftrace"]
    (tmp_path / "bad.ftrace").write_bytes(b"")
    with pytest.raises(FunctraceError, match=r"bad\.ftrace: not a functrace trace"):
        functrace.open(tmp_path)
    with pytest.raises(FunctraceError, match="no path given"):
        functrace.open([])


def test_losses_are_visible() -> None:
    with functrace.open(FOLDER / "overwritten.ftrace") as trace:
        assert any("earlier calls were overwritten" in each for each in trace.losses)
        assert "\n  incomplete: covers the last 108ns of 1.01µs;" in repr(trace)
    with functrace.open(FOLDER / "lost.ftrace") as trace:
        assert any("lost" in each for each in trace.losses)
        assert "incomplete: " in repr(trace)


def test_the_summary_fits_on_a_screen(tmp_path: Path) -> None:
    for number in range(40):
        name = f"{number:03}-{'x' * 120}.ftrace"
        shutil.copy(FOLDER / "overwritten.ftrace", tmp_path / name)
    with functrace.open(tmp_path) as traces:
        lines = repr(traces).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert lines[-2].startswith("… 35 more traces; ")
    assert lines[-1] == "40 traces incomplete; see losses"


def test_names_of_files_cannot_move_the_cursor(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\n.ftrace"
    shutil.copy(FOLDER / "lost.ftrace", path)
    with functrace.open(path) as trace:
        assert repr(trace).startswith(r"a\x1b[2J\n.ftrace: ")
        assert "\x1b" not in repr(trace.calls())


@pytest.mark.parametrize(
    ("package", "extra", "method"),
    [
        ("pyarrow", "parquet", "to_arrow"),
        ("pandas", "pandas", "to_pandas"),
        ("polars", "polars", "to_polars"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    both: Traces, package: str, extra: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError) as error:
        getattr(both.calls(), method)()
    assert f"requires {package}, a package of the extra {extra}; install it with: " in str(
        error.value
    )
    assert isinstance(error.value, ImportError)
    assert repr(both)  # requires none of them


def test_categories_of_all_batches_are_joined(many: Path) -> None:
    with functrace.open(many) as trace:
        column = trace.calls().to_pandas()["function"]
    assert isinstance(column.dtype, pandas.CategoricalDtype)
    assert column.value_counts()["main.price"] == MANY
    assert pa.types.is_dictionary(functrace.open(many).calls().schema.field("function").type)
