"""Extras of functrace: which are missing, and the command that installs one."""

from __future__ import annotations

import importlib
import importlib.util
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from functrace.errors import FunctraceError

_DISTRIBUTION = "functrace-cli"


class MissingExtraError(FunctraceError, ImportError):
    """A package that an extra of functrace installs is missing."""


def require(module: str, extra: str, purpose: str) -> None:
    """Check that a module of an extra can be imported.

    Raises:
        MissingExtraError: it is not installed; the message contains the command to install it.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise MissingExtraError(
            f"{purpose} requires {module}, a package of the extra {extra};"
            f" install it with: {install_command(extra)}"
        ) from None


def install_command(extra: str) -> str:
    """Return the command that installs an extra with the environment's tool: pipx, uv or pip."""
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists():
        return shlex.join(["pipx", "inject", prefix.name, *_requirements(extra)])
    receipt = prefix / "uv-receipt.toml"
    if receipt.exists():
        options = [word for requirement in _requirements(extra) for word in ("--with", requirement)]
        return shlex.join(["uv", "tool", "install", *options, _source(receipt)])
    return shlex.join([*_installer(), f"{_DISTRIBUTION}[{extra}]"])


def _installer() -> list[str]:
    binaries = Path(sys.executable).parent
    found = shutil.which("pip")
    if found and Path(found).parent.resolve() == binaries.resolve():
        return ["pip", "install"]
    if importlib.util.find_spec("pip") is None and shutil.which("uv"):
        return ["uv", "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"]


def _requirements(extra: str) -> list[str]:
    """Return the requirements of an extra."""
    from importlib import metadata  # which takes longer to load than a verb's own modules

    mark = f'extra == "{extra}"'
    parts = (text.partition(";") for text in metadata.requires(_DISTRIBUTION) or ())
    return [name.strip() for name, _, marker in parts if mark in marker.replace("'", '"')]


def _source(receipt: Path) -> str:
    """Return the source from which uv installed functrace."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    content: Any = tomllib.loads(receipt.read_text(encoding="utf-8"))
    own = next(r for r in content["tool"]["requirements"] if r["name"] == _DISTRIBUTION)
    source = own.get("directory") or own.get("editable") or own.get("path")
    return str(source or _DISTRIBUTION)
