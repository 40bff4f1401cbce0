from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.otlp.receiver import Receiver, over_http
from tests.python_runtime.conftest import HEAD, Runtime, environment, runtime
from tests.support.waiting import PATIENCE

__all__ = ["runtime"]


@dataclass
class Run:
    """A program that has ended, and so has its sender."""

    status: int
    stdout: str
    stderr: str
    spans: list[Any]
    left: list[Path]
    """files in the folder for temporary ones"""

    @property
    def tree(self) -> list[str]:
        """A line for each span: the functions from the outermost above it on, and how it ended."""
        by_id = {span.span_id: span for span in self.spans}
        return sorted(f"{_chain(span, by_id)}{_end(span)}" for span in self.spans)


Runner = Callable[..., Run]


def _chain(span: Any, by_id: dict[bytes, Any]) -> str:
    name = str(span.name).rpartition(".")[2]
    if span.parent_span_id:
        return f"{_chain(by_id[span.parent_span_id], by_id)} {name}"
    above = next((a.value for a in span.attributes if a.key == "functrace.chain"), None)
    names = [v.string_value.rpartition(".")[2] for v in above.array_value.values] if above else []
    return " ".join([*names, f"|{name}"])


def _end(span: Any) -> str:
    unfinished = any(a.key == "functrace.unfinished" for a in span.attributes)
    return f" …{unfinished}" if unfinished else f" !{span.status.message}" * bool(span.status.code)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with over_http() as receiver:
        yield receiver


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def variables(temporary: Path, receiver: Receiver) -> dict[str, str]:
    """Those of a program whose calls the receiver gets."""
    return {
        "FUNCTRACE": "otlp",
        "FUNCTRACE_PYTHON": sys.executable,
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_BSP_EXPORT_TIMEOUT": str(1000 * PATIENCE),
        "TMPDIR": str(temporary),
    }


@pytest.fixture
def live(
    runtime: Runtime,
    tmp_path: Path,
    temporary: Path,
    variables: dict[str, str],
    receiver: Receiver,
) -> Runner:
    """Run a program, behind HEAD; its sender has its standard error, and is waited for by that."""

    def run(program: str, *, status: int = 0, **more: str) -> Run:
        (tmp_path / "program.py").write_text(HEAD + textwrap.dedent(program), encoding="utf-8")
        done = subprocess.run(
            [runtime.python.executable, "program.py"],
            cwd=tmp_path,
            env=environment(runtime, {**_without_settings(), **variables, **more}),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == status, done.stderr
        left = sorted(temporary.iterdir())
        return Run(done.returncode, done.stdout, done.stderr, receiver.received.spans, left)

    return run


def _without_settings() -> dict[str, str]:
    """What the machine is set up to send stays out of it."""
    return {name: "" for name in os.environ if name.startswith("OTEL_")}
