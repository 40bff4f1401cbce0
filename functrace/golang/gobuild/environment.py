"""What the go command says of itself and of where it is called."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from functrace.errors import FunctraceError, UsageError
from functrace.golang import toolchain
from functrace.golang.gobuild.command import Flag, GoCommand, split_goflags

_OLDEST = (1, 21)


@dataclass(frozen=True)
class Environment:
    """Where a build happens.

    Attributes:
        go: the go command of the user.
        real_go: the one that it chooses for this folder, by go.mod's toolchain line maybe.
        folder: where the go command works, after ``-C``.
        goflags: the flags in ``GOFLAGS``.
        modules: path and folder of every main module; none outside of one.
    """

    go: Path
    real_go: str
    folder: Path
    goflags: tuple[Flag, ...]
    modules: tuple[tuple[str, str], ...]


def look(command: GoCommand) -> Environment:
    """Ask the go command.

    Raises:
        FunctraceError: there is none, or it answers with an error.
        UsageError: it is too old, or not to use modules.
    """
    found = toolchain.find()
    if found is None:
        raise FunctraceError("no go command on PATH: install Go 1.21 or newer")
    if (0, 0) < found.release < _OLDEST:
        raise UsageError(f"{found.version} at {found.go} is too old: Go 1.21 or newer is needed")
    folder = Path.cwd() / (command.value("C") or "")
    if not folder.is_dir():
        raise UsageError(f"-C {folder}: no such folder")
    names = ("GOROOT", "GOFLAGS", "GO111MODULE", "GOMOD", "GOWORK")
    env = json.loads(_ask(found.go, ["env", "-json", *names], folder))
    if env["GO111MODULE"] == "off":
        raise UsageError("GO111MODULE=off: functrace go needs modules; `go mod init` makes one")
    goflags = split_goflags(env["GOFLAGS"])
    outside = env["GOMOD"] in ("", "/dev/null") and env["GOWORK"] in ("", "off")
    return Environment(
        go=found.go,
        real_go=str(Path(env["GOROOT"]) / "bin" / "go"),
        folder=folder,
        goflags=goflags,
        modules=() if outside else _modules(found.go, command, folder),
    )


def standard_library(go: str, runtime: Path) -> tuple[str, ...]:
    """The packages of the standard library that the runtime in ``runtime`` does not need.

    The others cannot import it: that would be a cycle, or it would trace itself.
    """
    everything = _ask(Path(go), ["list", "std"], runtime).split()
    needed = set(_ask(Path(go), ["list", "-deps", "-tags=trace,race", "."], runtime).split())
    below = ("runtime", "internal/", "vendor/", "unsafe", "syscall")
    return tuple(p for p in everything if p not in needed and not p.startswith(below))


def _modules(go: Path, command: GoCommand, folder: Path) -> tuple[tuple[str, str], ...]:
    flags = [f"-{f.name}={f.value}" for f in command.flags if f.name in ("modfile", "mod")]
    text = _ask(go, ["list", "-m", *flags, "-f", "{{.Path}}\t{{.Dir}}"], folder)
    pairs = (line.partition("\t") for line in text.splitlines())
    return tuple((path, root) for path, _, root in pairs)


def _ask(go: Path, arguments: list[str], folder: Path) -> str:
    run = subprocess.run(
        [go, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    if run.returncode:
        raise FunctraceError(run.stderr.strip())
    return run.stdout
