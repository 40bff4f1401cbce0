"""SQL of the queries of a store, for DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa

from functrace.rollup import parquet
from functrace.rollup.duration_buckets import MAX_BUCKET
from functrace.rollup.error_texts import MAX_TEXTS
from functrace.rollup.figures import MAX_SUM, SUMS
from functrace.rollup.selection import LABELS, Selection, regular_expression

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MAX_WINDOW_NS = 3_600_000_000_000
_WILDCARD = re.compile(r"[*?[]")  # in the paths that read_parquet takes
ROWS = "selected_rows"
"""name in a query of the selected rows of its table"""
STALE = "stale"
"""table of the rollups that do not count: path or URL of the file, and recording"""


@dataclass(frozen=True)
class Query:
    """Query of one table of the store.

    Attributes:
        table: "chains" or "processes".
        text: a SELECT from ROWS.
        schema: columns of the result.
        parameters: values of the text's parameters, by name.
    """

    table: str
    text: str
    schema: pa.Schema
    parameters: dict[str, Any] = field(default_factory=dict)


def with_rows(query: Query, files: Iterable[str], selection: Selection, *, has_stale: bool) -> str:
    """Return the text of a query over the rows of files that are selected.

    Args:
        query: the query.
        files: paths or URLs.
        selection: the rows.
        has_stale: whether the table STALE has rows of the files.
    """
    listed = ", ".join(literal(_WILDCARD.sub(r"[\g<0>]", file)) for file in files)
    rows = f"read_parquet([{listed}], hive_partitioning = false, filename = 'file') AS stored"
    if has_stale:
        rows += f" ANTI JOIN {STALE} USING (file, recording)"
    conditions = " AND ".join(_conditions(selection)) or "true"
    chosen = f"SELECT * FROM {rows} WHERE {conditions}"
    return f"WITH {_part(ROWS, chosen)} {query.text}"


def over_table(query: Query, table: str) -> str:
    """Return the text of a query over all rows of a registered table."""
    return f"WITH {_part(ROWS, f'SELECT * FROM {table}')} {query.text}"


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def _conditions(selection: Selection) -> list[str]:
    found = [
        "(" + " OR ".join(_matches(label, glob) for glob in globs) + ")"
        for label in LABELS[1:]  # the service is that of the files
        for globs in selection.globs(label)
    ]
    if selection.until_ns is not None:
        found.append(f'"window" < {_time(selection.until_ns)}')
    if selection.since_ns is not None:
        # The first condition is implied; files are pruned by it.
        found.append(f'"window" > {_time(selection.since_ns - _MAX_WINDOW_NS)}')
        found.append(f'"window" + to_seconds(window_s) > {_time(selection.since_ns)}')
    return found


def _matches(label: str, glob: str) -> str:
    if not set(glob) & set("*?"):
        return f"{label} = {literal(glob)}"
    return f"regexp_full_match({label}, {literal('(?s)' + regular_expression(glob))})"


def _time(time_ns: int) -> str:
    moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return f"TIMESTAMPTZ '{moment.isoformat()}'"


def _sum(name: str) -> str:
    return f"least(sum({name}), {MAX_SUM})::BIGINT AS {name}"


def _columns(*names: str) -> list[pa.Field]:
    return [parquet.CHAINS.field(name) for name in names]


_DEFINITION = ("chain", "parent", "function", "started")


def definitions() -> Query:
    """Return the query of the definitions of chains."""
    chain, *others = _DEFINITION
    firsts = ", ".join(f"first({name}) AS {name}" for name in others)
    text = f"SELECT {chain}, {firsts} FROM {ROWS} GROUP BY {chain} ORDER BY {chain}"
    return Query("chains", text, pa.schema(_columns(*_DEFINITION)))


_FIGURES = f"""
SELECT chain, any_value(parent) AS parent, any_value(function) AS function,
  any_value(started) AS started, {", ".join(map(_sum, SUMS))},
  min(min_ns) AS min_ns, max(max_ns) AS max_ns, {_sum("errors_undercount")},
  min({{
    'is_ok': failed = 0,
    'rank': CASE WHEN failed > 0 THEN 0 ELSE -coalesce(max_ns, 0) END,
    'time': example_time, 'trace': example_trace, 'track': example_track
  }}) FILTER (example_time IS NOT NULL) AS example
FROM chosen GROUP BY chain
"""


def _checked(is_invalid: str) -> str:
    """Return a condition that holds, or stops the query, which then names the file."""
    reason = literal("a histogram has a bucket that does not exist")
    return f"CASE WHEN {is_invalid} THEN error({reason}) ELSE true END"


# A shorter list is extended with NULL. Checking the sums takes less time than checking each row.
_BUCKETS = f"""
SELECT chain, list(bucket ORDER BY bucket) AS bucket,
  list(bucket_calls ORDER BY bucket) AS bucket_calls
FROM (
  SELECT chain, bucket, {_sum("bucket_calls")}, min(coalesce(bucket_calls, -1)) AS lowest
  FROM (SELECT chain, unnest(bucket) AS bucket, unnest(bucket_calls) AS bucket_calls FROM chosen)
  GROUP BY chain, bucket
) WHERE {_checked(f"bucket IS NULL OR bucket < 0 OR bucket > {MAX_BUCKET} OR lowest < 0")}
GROUP BY chain
"""
# The most frequent texts without the count of the first one beyond them, as in error_texts.bounded.
_ERRORS = f"""
SELECT chain, max(excess) AS excess, list(
  {{'text': text, 'panicked': panicked, 'calls': calls - excess}}
  ORDER BY calls DESC, text, panicked
) FILTER (calls > excess) AS errors
FROM (
  SELECT *, coalesce(nth_value(calls, {MAX_TEXTS + 1}) OVER (
    PARTITION BY chain ORDER BY calls DESC
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  ), 0) AS excess
  FROM (
    SELECT chain, error.text AS text, error.panicked AS panicked,
      least(sum(error.calls), {MAX_SUM})::BIGINT AS calls
    FROM (SELECT chain, unnest(errors) AS error FROM chosen WHERE len(errors) > 0)
    GROUP BY ALL
  )
) GROUP BY chain
"""
_MERGED = f"""
SELECT chain, parent, function, started, {", ".join(SUMS)}, min_ns, max_ns,
  coalesce(bucket, []) AS bucket, coalesce(bucket_calls, []) AS bucket_calls,
  coalesce(errors, []) AS errors,
  least(errors_undercount::HUGEINT + coalesce(excess, 0), {MAX_SUM})::BIGINT AS errors_undercount,
  example.time AS example_time, example.trace AS example_trace, example.track AS example_track
FROM figures LEFT JOIN buckets USING (chain) LEFT JOIN texts USING (chain) ORDER BY chain
"""


def chains(functions: Sequence[str] | None) -> Query:
    """Return the query of chains, merged over windows and recordings."""
    chosen, parameters = _chosen("function", functions)
    parts = {
        "chosen": chosen,
        "figures": _FIGURES,
        "buckets": _BUCKETS,
        "texts": _ERRORS,
    }
    names = [field.name for field in parquet.CHAINS]
    schema = pa.schema(_columns(*names[names.index("chain") :]))
    return Query("chains", _with(parts, _MERGED), schema, parameters)


_HAS_VALID_BUCKETS = _checked(
    "len(bucket) <> len(bucket_calls) OR list_min(bucket) < 0"
    f" OR list_max(bucket) > {MAX_BUCKET} OR list_min(bucket_calls) < 0"
)


def by_instance(ids: Sequence[bytes] | None, *, by_window: bool) -> Query:
    """Return the query of chains by release and instance, or by window of these."""
    names = ["chain", *_instance_keys(by_window=by_window)]
    keys = _quoted(names)
    sums = ("calls", "failed", "total_ns", "self_ns")
    lists = ("bucket", "bucket_calls")
    chosen, parameters = _chosen("chain", ids)
    figures = (
        f"SELECT {keys}, {', '.join(map(_sum, sums))},"
        " list({'bucket': bucket, 'bucket_calls': bucket_calls}) AS windows"
        f" FROM chosen WHERE {_HAS_VALID_BUCKETS} GROUP BY {keys}"
    )
    parts = {"chosen": chosen, "figures": figures}
    joined = [f"flatten([each.{name} FOR each IN windows]) AS {name}" for name in lists]
    text = f"SELECT {', '.join([keys, *sums, *joined])} FROM figures"
    schema = pa.schema(_columns(*names, *sums, *lists))
    return Query("chains", _with(parts, text), schema, parameters)


def instances(*, by_window: bool) -> Query:
    """Return the query of the releases and instances, or of windows of these."""
    names = _instance_keys(by_window=by_window)
    schema = pa.schema([parquet.PROCESSES.field(name) for name in names])
    return Query("processes", f"SELECT DISTINCT {_quoted(names)} FROM {ROWS}", schema)


def _instance_keys(*, by_window: bool) -> list[str]:
    return ["release", "instance", *(["window"] if by_window else [])]


def _quoted(names: Sequence[str]) -> str:
    """Return names as a list in SQL, where `window` is a keyword."""
    return ", ".join(f'"{name}"' for name in names)


def names_of_instances(table: str) -> Query:
    """Return the query of the instances that have rows in a table."""
    return Query(
        table,
        f"SELECT DISTINCT instance FROM {ROWS}",
        pa.schema([parquet.PROCESSES.field("instance")]),
    )


def service_figures() -> Query:
    """Return the query of a service's releases, instances and calls; no row without any."""
    counts = [(name, pa.int64()) for name in ("instances", "calls", "failed")]
    return Query(
        "processes",
        "SELECT list_sort(list(DISTINCT release)) AS releases,"
        f" count(DISTINCT instance) AS instances, {_sum('calls')}, {_sum('failed')}"
        f" FROM {ROWS} HAVING count(*) > 0",
        pa.schema([("releases", pa.list_(pa.string())), *counts]),
    )


def covered() -> Query:
    """Return the query of the covered seconds and the number of windows."""
    schema = pa.schema([("seconds", pa.float64()), ("windows", pa.int64())])
    text = f"SELECT coalesce(sum(covered_s), 0) AS seconds, count(*) AS windows FROM {ROWS}"
    return Query("processes", text, schema)


def notes(column: str) -> Query:
    """Return the query of the texts in a column of lists, and the number of their instances."""
    schema = pa.schema([("note", pa.string()), ("instances", pa.int64())])
    return Query(
        "processes",
        f"SELECT note, count(DISTINCT instance) AS instances"
        f" FROM (SELECT instance, unnest({column}) AS note FROM {ROWS}) GROUP BY note",
        schema,
    )


def recordings() -> Query:
    """Return the query of the rollups in each file: its path or URL, recording and written."""
    schema = pa.schema(
        [("file", pa.string()), *(parquet.PROCESSES.field(n) for n in ("recording", "written"))]
    )
    text = f"SELECT DISTINCT file, recording, written FROM {ROWS}"
    return Query("processes", text, schema)


def _chosen(column: str, values: Sequence[Any] | None) -> tuple[str, dict[str, Any]]:
    """Return the query of the rows with one of `values` in a column, and its parameters."""
    if values is None:
        return f"SELECT * FROM {ROWS}", {}
    parameters = {f"value_{number}": value for number, value in enumerate(values)}
    listed = ", ".join(f"${name}" for name in parameters) or "NULL"
    return f"SELECT * FROM {ROWS} WHERE {column} IN ({listed})", parameters


def _with(parts: dict[str, str], text: str) -> str:
    """Return the rest of a WITH clause, and the query that uses its parts."""
    return "".join(f", {_part(name, part)}" for name, part in parts.items()) + text


def _part(name: str, text: str) -> str:
    """Return a part of a WITH clause, which is read again wherever it is used: it may be large."""
    return f"{name} AS NOT MATERIALIZED ({text})"
