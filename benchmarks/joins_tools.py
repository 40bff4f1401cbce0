"""The tools that benchmarks/joins.py compares: how each builds, starts and instruments services."""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

SOURCE = Path(__file__).with_name("joins")
_ROOT = Path(__file__).parents[1]
_FUNCTRACE = (sys.executable, "-m", "functrace")
_OVERLAY = "opentelemetry"


@dataclass(frozen=True)
class Tool:
    """How the services are built and started.

    Attributes:
        go: command that builds the Go services, before ``build -o``.
        python: command of the interpreter, given the folder of its programs.
        environment: variables of the services, given the URL of a server that takes spans.
        libraries: what the tool needs in Python.
        prepare: edits a copy of the sources.
        describe: returns a summary of the tool's recordings in a folder.
    """

    title: str
    go: Sequence[str] = ("go",)
    python: Callable[[Path], Sequence[str]] = lambda programs: [str(programs / "python")]
    environment: Callable[[str], Mapping[str, str]] = lambda _: {}
    libraries: Sequence[str] = ()
    prepare: Callable[[Path], object] = lambda _: None
    describe: Callable[[Path], str] = lambda _: ""

    @property
    def missing(self) -> str:
        """The program that the tool needs and PATH does not have, or ``""``."""
        return "" if shutil.which(self.go[0]) else self.go[0]


@dataclass(frozen=True)
class Copy:
    """Copy of the sources, edited for a tool."""

    folder: Path

    @property
    def edited_lines(self) -> int:
        """Lines of Go and Python that were added or changed; go.mod does not count."""
        files = [file for kind in ("*.go", "*.py") for file in self.folder.rglob(kind)]
        return sum(1 for file in files for _ in self._edits(file))

    def _edits(self, file: Path) -> Iterator[str]:
        original = SOURCE / file.relative_to(self.folder)
        before = original.read_text(encoding="utf-8").splitlines() if original.exists() else []
        after = file.read_text(encoding="utf-8").splitlines()
        return (line for line in difflib.ndiff(before, after) if line.startswith("+ "))


def copy_sources(tool: Tool, folder: Path) -> Copy:
    """Copy the sources into a folder, and edit them for a tool."""
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(_OVERLAY, "__pycache__"))
    tool.prepare(folder)
    return Copy(folder)


def _add_opentelemetry(folder: Path) -> None:
    """Edit the Go services as the guide of otelhttp describes."""
    shutil.copytree(SOURCE / _OVERLAY, folder, dirs_exist_ok=True)
    patch = folder / "edits.patch"
    subprocess.run(["patch", "-s", "-p1", "-i", patch], cwd=folder, check=True)
    patch.unlink()


_ORCHESTRION = """\
//go:build tools

package tools

import (
	_ "github.com/DataDog/dd-trace-go/contrib/net/http/v2"
	_ "github.com/DataDog/dd-trace-go/v2/ddtrace/tracer"
	_ "github.com/DataDog/orchestrion"
)
"""


def _add_orchestrion(folder: Path) -> None:
    """Name the integrations that the services need; ``orchestrion pin`` would name all."""
    (folder / "orchestrion.tool.go").write_text(_ORCHESTRION, encoding="utf-8")
    subprocess.run(["go", "mod", "tidy"], cwd=folder, check=True, capture_output=True)


def _describe_services(folder: Path) -> str:
    """Return how many calls functrace services has joined, by method."""
    command = [*_FUNCTRACE, "services", "--json", str(folder)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    joined, attributed = found["joined_inbound_calls"], found["attributed_outbound_calls"]
    return (
        f"    functrace services: {sum(joined.values()):,} of {found['inbound_calls']:,} inbound"
        f" calls joined ({joined}), {found['outbound_calls']:,} outbound calls ({attributed})\n"
    )


def _functrace(propagate: str) -> Tool:
    return Tool(
        f"functrace, {propagate}",
        [*_FUNCTRACE, "go", "-q"],
        lambda programs: [str(programs / "python"), "-m", "functrace", "run"],
        lambda _: {"FUNCTRACE": "record", "FUNCTRACE_PROPAGATE": propagate},
        [str(_ROOT)],
        describe=_describe_services,
    )


def _opentelemetry_environment(url: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PROPAGATORS": "tracecontext",
    }


def _datadog_environment(url: str) -> dict[str, str]:
    return {
        "DD_TRACE_AGENT_URL": url,
        "DD_TRACE_PROPAGATION_STYLE": "tracecontext",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_TRACE_STARTUP_LOGS": "false",
        "DD_CRASHTRACKING_ENABLED": "false",
    }


def _opentelemetry_python(programs: Path) -> list[str]:
    return [str(programs / "opentelemetry-instrument"), str(programs / "python")]


_OPENTELEMETRY = ["opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http"]
_OPENTELEMETRY += [  # what opentelemetry-bootstrap installs for the libraries of payments
    f"opentelemetry-instrumentation-{library}"
    for library in ("starlette", "httpx", "requests", "urllib3", "asyncio", "threading")
]
TOOLS = [
    Tool("no tool"),
    *map(_functrace, ("observe", "forward", "span")),
    Tool(
        "OpenTelemetry, otelhttp and opentelemetry-instrument",
        python=_opentelemetry_python,
        environment=_opentelemetry_environment,
        libraries=_OPENTELEMETRY,
        prepare=_add_opentelemetry,
    ),
    Tool(
        "OpenTelemetry, otelc (compile time) and opentelemetry-instrument",
        ["otelc", "go"],
        _opentelemetry_python,
        _opentelemetry_environment,
        _OPENTELEMETRY,
    ),
    Tool(
        "Datadog, Orchestrion and ddtrace-run",
        ["orchestrion", "go"],
        lambda programs: [str(programs / "ddtrace-run"), str(programs / "python")],
        _datadog_environment,
        ["ddtrace"],
        prepare=_add_orchestrion,
    ),
]


@contextmanager
def taking_spans() -> Iterator[str]:
    """Run a server that takes whatever is sent to it, and yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sink) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Sink(BaseHTTPRequestHandler):
    def _take(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()

    do_POST = do_PUT = _take  # noqa: N815  http.server's names

    def log_message(self, *_: object) -> None:
        """Do not log requests."""
