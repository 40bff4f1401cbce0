"""Traces in other programs' formats: a file for each, and a line in the table."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from functrace import extras
from functrace.errors import FunctraceError

if TYPE_CHECKING:
    from functrace.trace import Trace


class Format(NamedTuple):
    """A format: which module's ``write`` writes it, and what there is to know about it."""

    module: str
    suffix: str
    opens_in: str
    options: tuple[str, ...] = ()
    """keywords that write takes"""
    binary: bool = False
    """nothing for a terminal"""
    folder: bool = False
    """write wants a folder's path, not a file"""
    sends: bool = False
    """no file comes of it"""
    extra: str = ""
    """what pip has to install with functrace for it, and what must be there to import then"""


FORMATS = {
    "jsonl": Format("jsonl", ".jsonl", "jq, or a program of yours"),
    "json": Format("document", ".json", "a program of yours"),
    "perfetto": Format("perfetto", ".pftrace", "ui.perfetto.dev", binary=True),
    "chrome": Format("chrome", ".trace.json", "chrome://tracing, ui.perfetto.dev"),
    "speedscope": Format("speedscope", ".speedscope.json", "speedscope.app"),
    "firefox": Format("firefox", ".firefox.json", "profiler.firefox.com"),
    "folded": Format("folded", ".folded", "flamegraph.pl, inferno, speedscope.app", ("by",)),
    "flamegraph": Format("flamegraph", ".svg", "a browser", ("by",)),
    "pprof": Format("pprof", ".pb.gz", "go tool pprof", binary=True),
    "dot": Format("dot", ".dot", "graphviz", ("limit",)),
    "svg": Format("svg", ".svg", "a browser", ("limit",)),
    "parquet": Format(
        "parquet", ".parquet", "DuckDB, pandas, polars, Spark", folder=True, extra="pyarrow"
    ),
    "otlp": Format(
        "otlp",
        "",
        "any OpenTelemetry backend",
        ("endpoint", "protocol", "root", "sample", "errors", "slow", "resume"),
        sends=True,
        extra="opentelemetry",
    ),
}


def write(traces: Sequence[Trace], to: str, out: BinaryIO | Path, **options: Any) -> None:
    """Write traces in a format; of several each is a process of the output.

    Args:
        traces: one or more.
        to: a name in FORMATS.
        out: a stream, or for a format that is a folder the path of one that is empty or not there.
        options: those that the format has.

    Raises:
        FunctraceError: what the format is made with is not there.
    """
    load(to).write(traces, out, **options)


def load(to: str) -> Any:
    """The module that writes a format.

    Raises:
        FunctraceError: a package that it wants is not installed.
    """
    wanted = FORMATS[to]
    try:
        return importlib.import_module(f"{__name__}.{wanted.module}")
    except ModuleNotFoundError as error:
        if not wanted.extra or (error.name or "").partition(".")[0] != wanted.extra:
            raise
        raise FunctraceError(
            f"--to {to} wants {wanted.extra}, which is not installed: {extras.install_command(to)}"
        ) from None
