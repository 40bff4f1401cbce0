from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

_SETTINGS = ("FUNCTRACE", "NO_COLOR", "FORCE_COLOR")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A Go module of two packages in a folder of its own."""
    root = tmp_path / "shop"
    files = {
        "go.mod": "module example.com/shop\n\ngo 1.21\n",
        "main.go": 'package main\n\nimport "example.com/shop/store"\n\n'
        "func main() {\n\tprintln(store.Get())\n}\n",
        "store/store.go": "package store\n\nfunc Get() int {\n\treturn help()\n}\n\n"
        "func help() int { return 1 }\n",
        "store/testdata/x.go": "package x\n\nfunc X() {\n}\n",
        "store/notes.txt": "not Go\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def functrace(module: Path) -> Run:
    """Run the command as a user does, in the module's folder."""

    def run(*arguments: str, stdin: str = "", cwd: Path = module, **environment: str):  # type: ignore[no-untyped-def]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(_SETTINGS)}
        return subprocess.run(
            [sys.executable, "-m", "functrace", *arguments],
            cwd=cwd,
            env={**inherited, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    return run


def contents(root: Path) -> dict[str, bytes]:
    """Return the contents of all files below a folder by relative path."""
    files = (p for p in sorted(root.rglob("*")) if p.is_file() and ".functrace" not in p.parts)
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}
