"""Export formats: one module and one entry in ``FORMATS`` per format."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from functrace import extras
from functrace.errors import FunctraceError

if TYPE_CHECKING:
    from functrace.tracefile import Trace


class Format(NamedTuple):
    """Description of an export format."""

    module: str
    """the module whose ``write`` writes it"""
    suffix: str
    opens_in: str
    options: tuple[str, ...] = ()
    """keyword arguments of ``write``"""
    binary: bool = False
    """not written to a terminal"""
    folder: bool = False
    """``write`` requires the path of a directory, not a stream"""
    sends: bool = False
    """sends data instead of writing a file"""
    posts: bool = False
    """sends data instead if it has the option ``endpoint``"""
    chains: bool = False
    """its module has ``write_chains``, which requires no single calls"""
    extra: str = ""
    """the top-level module that it requires, installed by an extra of functrace"""
    extra_name: str = ""
    """name of that extra; by default that of the format"""


FORMATS = {
    "jsonl": Format("jsonl", ".jsonl", "jq, your own program"),
    "json": Format("document", ".json", "your own program"),
    "perfetto": Format("perfetto", ".pftrace", "ui.perfetto.dev", binary=True),
    "chrome": Format("chrome", ".trace.json", "chrome://tracing, ui.perfetto.dev"),
    "speedscope": Format("speedscope", ".speedscope.json", "speedscope.app"),
    "firefox": Format("firefox", ".firefox.json", "profiler.firefox.com"),
    "folded": Format(
        "folded", ".folded", "flamegraph.pl, inferno, speedscope.app", ("by",), chains=True
    ),
    "flamegraph": Format("flamegraph", ".svg", "a browser", ("by", "against"), chains=True),
    "pprof": Format("pprof", ".pb.gz", "go tool pprof", binary=True, chains=True),
    "dot": Format("dot", ".dot", "graphviz", ("limit",), chains=True),
    "svg": Format("svg", ".svg", "a browser", ("limit",), chains=True),
    "parquet": Format(
        "parquet", ".parquet", "DuckDB, pandas, polars, Spark", folder=True, extra="pyarrow"
    ),
    "otlp": Format(
        "otlp",
        "",
        "any OpenTelemetry backend",
        ("endpoint", "protocol", "root", "sample", "errors", "min_duration", "resume"),
        sends=True,
        extra="opentelemetry",
    ),
    "zipkin": Format(
        "zipkin",
        ".zipkin.json",
        "Zipkin, Jaeger",
        ("endpoint", "root", "sample", "errors", "min_duration", "resume"),
        posts=True,
        extra="opentelemetry",
        extra_name="otlp",
    ),
}


def write(traces: Sequence[Trace], to: str, out: BinaryIO | Path, **options: Any) -> None:
    """Write traces in a format; each trace becomes one process of the output.

    Args:
        traces: one or more.
        to: a name in FORMATS.
        out: a stream, or the path of an empty or missing directory for a directory format.
        options: the options of the format.

    Raises:
        FunctraceError: a required package or program is missing.
    """
    load(to).write(traces, out, **options)


def load(to: str) -> Any:
    """Return the module that writes a format.

    Raises:
        FunctraceError: a package that it requires is not installed.
    """
    entry = FORMATS[to]
    try:
        return importlib.import_module(f"{__name__}.{entry.module}")
    except ModuleNotFoundError as error:
        if not entry.extra or (error.name or "").partition(".")[0] != entry.extra:
            raise
        command = extras.install_command(entry.extra_name or to)
        raise FunctraceError(
            f"--to {to} requires {entry.extra}; install it with: {command}"
        ) from None
