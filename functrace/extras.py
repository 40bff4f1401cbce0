"""How the user installs what an extra of ours has, into the environment that we run in."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

_DISTRIBUTION = "functrace-cli"


def command(extra: str) -> str:
    """The command line that installs an extra, by what made the environment: pipx, uv or pip."""
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists():
        return shlex.join(["pipx", "inject", prefix.name, *_requirements(extra)])
    receipt = prefix / "uv-receipt.toml"
    if receipt.exists():
        options = [word for wanted in _requirements(extra) for word in ("--with", wanted)]
        return shlex.join(["uv", "tool", "install", *options, _source(receipt)])
    return shlex.join([*_install(), f"{_DISTRIBUTION}[{extra}]"])


def _install() -> list[str]:
    binaries = Path(sys.executable).parent
    found = shutil.which("pip")
    if found and Path(found).parent.resolve() == binaries.resolve():
        return ["pip", "install"]
    if importlib.util.find_spec("pip") is None and shutil.which("uv"):
        return ["uv", "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"]


def _requirements(extra: str) -> list[str]:
    """What an extra has, as installers take it."""
    mark = f'extra == "{extra}"'
    parts = (text.partition(";") for text in importlib.metadata.requires(_DISTRIBUTION) or ())
    return [name.strip() for name, _, marker in parts if mark in marker.replace("'", '"')]


def _source(receipt: Path) -> str:
    """From where uv has installed us."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    told: Any = tomllib.loads(receipt.read_text(encoding="utf-8"))
    wanted = next(r for r in told["tool"]["requirements"] if r["name"] == _DISTRIBUTION)
    source = wanted.get("directory") or wanted.get("editable") or wanted.get("path")
    return str(source or _DISTRIBUTION)
