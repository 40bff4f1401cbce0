from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from functrace.cli import verbs
from tests.cli import faulty, hostile, mall
from tests.cli.conftest import functrace, module  # noqa: F401  # fixtures
from tests.view.serving import Viewer, viewing

Printed = Callable[..., Any]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trace of faults, one of hostile texts, and those of several services."""
    folder = tmp_path_factory.mktemp("view")
    faulty.faulty(folder / "faulty.ftrace")
    mall.write(folder / "mall")
    (folder / "hostile.ftrace").write_bytes(hostile.trace())
    (folder / "options.ftrace").write_bytes(hostile.options())
    return folder


@pytest.fixture(scope="session")
def viewer(folder: Path) -> Iterator[Viewer]:
    """A viewer of faulty.ftrace."""
    with viewing("faulty.ftrace", cwd=folder) as started:
        yield started


@pytest.fixture(scope="session")
def services(folder: Path) -> Iterator[Viewer]:
    """A viewer of several services."""
    with viewing("mall", cwd=folder) as started:
        yield started


@pytest.fixture
def printed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Printed:
    """Return what a verb prints as JSON in the viewer's folder; a list of replay's lines."""
    monkeypatch.chdir(folder)

    def run(*words: str) -> Any:
        # Before the operands: all that follows -- is one.
        done = CliRunner().invoke(verbs.functrace, [words[0], "--json", *words[1:]])
        assert done.exit_code == 0, done.output
        if words[0] == "replay":
            return [json.loads(line) for line in done.stdout.splitlines()]
        return json.loads(done.stdout)

    return run
