"""Installation commands in messages depend on the tool that created the environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from functrace import extras

SPANS = "opentelemetry-proto"


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment called functrace-cli, whose interpreter this is not."""
    made = tmp_path / "functrace-cli"
    (made / "bin").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(made))
    monkeypatch.setattr(sys, "executable", str(made / "bin" / "python"))
    return made


def test_pipx(prefix: Path) -> None:
    (prefix / "pipx_metadata.json").write_text("{}")
    assert extras.install_command("parquet") == "pipx inject functrace-cli 'pyarrow>=18'"
    assert SPANS in extras.install_command("otlp")


@pytest.mark.parametrize(("extra", "source"), [("", "functrace-cli"), (', directory = "/x"', "/x")])
def test_uv_tool(prefix: Path, extra: str, source: str) -> None:
    ours = f'{{ name = "functrace-cli"{extra} }}'
    receipt = f'[tool]\nrequirements = [{{ name = "numpy" }}, {ours}]\n'
    (prefix / "uv-receipt.toml").write_text(receipt)
    wanted = f"uv tool install --with 'pyarrow>=18' {source}"
    assert extras.install_command("parquet") == wanted


def test_pip(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    what = "install 'functrace-cli[parquet]'"
    assert extras.install_command("parquet") == f"{prefix}/bin/python -m pip {what}"
    pip = prefix / "bin" / "pip"
    pip.touch(0o755)
    monkeypatch.setenv("PATH", str(pip.parent))
    assert extras.install_command("parquet") == f"pip {what}"


def test_uv_without_pip(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = prefix / "elsewhere" / "uv"
    uv.parent.mkdir()
    uv.touch(0o755)
    monkeypatch.setenv("PATH", str(uv.parent))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    wanted = f"uv pip install --python {prefix}/bin/python 'functrace-cli[parquet]'"
    assert extras.install_command("parquet") == wanted
