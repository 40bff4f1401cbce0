"""Tests of the build of the embedded sender, once per target. Its function: otlp.txtar."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.cache import entries
from functrace.errors import FunctraceError, UsageError
from functrace.gobuild import archives
from functrace.gobuild.go_environment import Environment
from functrace.gobuild.otlp_sender import Sender, find_sender
from functrace.sources.go import runtime_copy
from tests.support.toolchains import Go

_MODULE = b"module functrace/otlp\n\ngo 1.21\n"
_MAIN = b"package main\n\nfunc main() {}\n"


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Replace the sender's sources by a program without dependencies."""
    files = {"go.mod": _MODULE, "main.go": _MAIN}
    monkeypatch.setattr(runtime_copy, "read_sender_sources", lambda: files)
    return files


@pytest.fixture
def where(go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    return Environment(
        go.binaries / "go", go.binaries.parent, tmp_path, (), (), (), (), is_for_this_system=True
    )


@pytest.mark.usefixtures("sources")
def test_second_build_uses_the_cache(where: Environment, tmp_path: Path) -> None:
    sender = find_sender(where)
    built = sender.build(tmp_path)
    assert Sender("/nonexistent/go", sender.target, sender.key).build(tmp_path) == built


@pytest.mark.slow
@pytest.mark.usefixtures("sources")
def test_each_target_has_a_separate_sender(
    where: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    magic = {"linux": b"\x7fELF", "darwin": b"\xcf\xfa\xed\xfe"}
    for system, begins in magic.items():
        monkeypatch.setenv("GOOS", system)
        monkeypatch.setenv("GOARCH", "arm64")
        assert find_sender(where).build(tmp_path).startswith(begins)


def test_changed_sources_change_the_key(where: Environment, sources: dict[str, bytes]) -> None:
    before = find_sender(where).key
    sources["main.go"] += b"\n"
    assert find_sender(where).key != before


@pytest.mark.usefixtures("sources")
def test_error_on_systems_without_recording(
    where: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOS", "windows")
    with pytest.raises(UsageError, match="--otlp: recording is not supported on windows"):
        find_sender(where)


def test_error_names_modules_that_cannot_be_downloaded(
    where: Environment,
    sources: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources["go.mod"] += b"\nrequire example.com/none v1.0.0\n"
    sources["go.sum"] = (
        b"example.com/none v1.0.0 h1:fEo0HyrW1GIgZdpbhCRO0PkJajUS5H9IFUztCgEo2jQ=\n"
        b"example.com/none v1.0.0/go.mod h1:Czt+wKu1gCyEFDUtn0jG5QVvpJ6rzVqr5aXyt9drQfk=\n"
    )
    sources["main.go"] = b'package main\n\nimport _ "example.com/none"\n\nfunc main() {}\n'
    monkeypatch.setenv("GOPROXY", "off")
    sender = find_sender(where)
    with pytest.raises(FunctraceError) as caught:
        sender.build(tmp_path)
    assert "modules from its proxy once" in str(caught.value)
    assert "disabled by GOPROXY=off" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert entries.read(str(tmp_path), sender.key) is None


def test_only_programs_with_a_sender_embed_it(tmp_path: Path) -> None:
    for carried in (None, b"\x7fELF"):
        folder = tmp_path / str(carried is None)
        archives.write_runtime(folder, "key", carried)
        for name in ("embedded.go", "functrace-otlp"):
            assert (folder / name).exists() == (carried is not None)
