"""What the go command says of itself and of where it is called."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from functrace.errors import UsageError
from functrace.golang import toolchain
from functrace.golang.gobuild.command import Flag, GoCommand, split_goflags
from functrace.golang.module import Module


@dataclass(frozen=True)
class Environment:
    """Where a build happens.

    Attributes:
        go: the go command of the user.
        real_go: the one that it chooses for this folder, by go.mod's toolchain line maybe.
        folder: where the go command works, after ``-C``.
        goflags: the flags in ``GOFLAGS``.
        flags: those, then the command's: the last of a name counts.
        modules: every main module; none outside of one.
    """

    go: Path
    real_go: str
    folder: Path
    goflags: tuple[Flag, ...]
    flags: tuple[Flag, ...]
    modules: tuple[Module, ...]


def look(command: GoCommand) -> Environment:
    """Ask the go command.

    Raises:
        FunctraceError: there is none, or it answers with an error.
        UsageError: it is too old, or not to use modules.
    """
    go = toolchain.require().go
    folder = Path.cwd() / (command.value("C") or "")
    if not folder.is_dir():
        raise UsageError(f"-C {folder}: no such folder")
    names = ("GOROOT", "GOFLAGS", "GO111MODULE", "GOMOD", "GOWORK")
    env = json.loads(toolchain.ask(go, ["env", "-json", *names], folder))
    if env["GO111MODULE"] == "off":
        raise UsageError("GO111MODULE=off: functrace go needs modules; `go mod init` makes one")
    goflags = split_goflags(env["GOFLAGS"])
    outside = env["GOMOD"] in ("", "/dev/null") and env["GOWORK"] in ("", "off")
    return Environment(
        go=go,
        real_go=str(Path(env["GOROOT"]) / "bin" / "go"),
        folder=folder,
        goflags=goflags,
        flags=(*goflags, *command.flags),
        modules=() if outside else _modules(go, command, folder),
    )


def standard_library(go: str, runtime: Path) -> tuple[str, ...]:
    """The packages of the standard library that the runtime in ``runtime`` does not need.

    The others cannot import it: that would be a cycle, or it would trace itself.
    """
    everything = toolchain.ask(go, ["list", "std"], runtime).split()
    flags = ["-deps", "-tags=trace,race,otlp"]
    needed = set(toolchain.ask(go, ["list", *flags, "."], runtime).split())
    below = ("runtime", "internal/", "vendor/", "unsafe", "syscall")
    return tuple(p for p in everything if p not in needed and not p.startswith(below))


def _modules(go: Path, command: GoCommand, folder: Path) -> tuple[Module, ...]:
    flags = [f"-{f.name}={f.value}" for f in command.flags if f.name in ("modfile", "mod")]
    text = toolchain.ask(go, ["list", "-m", *flags, "-f", "{{.Path}}\t{{.Dir}}"], folder)
    pairs = (line.partition("\t") for line in text.splitlines())
    return tuple(Module(Path(root), path) for path, _, root in pairs)
