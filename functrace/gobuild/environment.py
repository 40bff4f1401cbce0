"""What the go command says of itself and of where it is called."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from functrace.errors import UsageError
from functrace.gobuild.go_command import Flag, GoCommand, last, split_goflags
from functrace.sources.go import toolchain
from functrace.sources.go.module import Module

_SYSTEMS = ("GOOS", "GOARCH", "GOHOSTOS", "GOHOSTARCH")


@dataclass(frozen=True)
class Environment:
    """Where a build happens.

    Attributes:
        go: the go command of the user.
        goroot: the root of the distribution that it chooses for this folder, by go.mod's
            toolchain line maybe.
        folder: where the go command works, after ``-C``.
        goflags: the flags in ``GOFLAGS``.
        flags: those, then the command's: the last of a name counts.
        modules: every main module; none outside of one.
        resolution: what decides, besides the main modules, which folder a package is built from.
        is_for_this_system: whether what is built can be run here.
    """

    go: Path
    goroot: Path
    folder: Path
    goflags: tuple[Flag, ...]
    flags: tuple[Flag, ...]
    modules: tuple[Module, ...]
    resolution: tuple[str, ...]
    is_for_this_system: bool

    @property
    def real_go(self) -> str:
        """The go command of :attr:`goroot`, which chooses no other."""
        return str(self.goroot / "bin" / "go")


def look(command: GoCommand) -> Environment:
    """Ask the go command.

    Raises:
        FunctraceError: there is none, or it answers with an error.
        UsageError: it is too old, or not to use modules.
    """
    go = toolchain.require().go
    folder = Path.cwd() / (command.value("C") or "")
    if not folder.is_dir():
        raise UsageError(f"-C {folder}: no such directory")
    names = ("GOROOT", "GOFLAGS", "GO111MODULE", "GOMOD", "GOWORK", *_SYSTEMS)
    env = json.loads(toolchain.run_go(go, ["env", "-json", *names], folder))
    if env["GO111MODULE"] == "off":
        raise UsageError("GO111MODULE=off: functrace go needs modules; `go mod init` makes one")
    goflags = split_goflags(env["GOFLAGS"])
    flags = (*goflags, *command.flags)
    outside = env["GOMOD"] in ("", "/dev/null") and env["GOWORK"] in ("", "off")
    modules = () if outside else _modules(go, command, folder)
    return Environment(
        go=go,
        goroot=Path(env["GOROOT"]),
        folder=folder,
        goflags=goflags,
        flags=flags,
        modules=modules,
        resolution=tuple(_resolution(flags, folder, modules, env["GOWORK"])),
        is_for_this_system=(env["GOOS"], env["GOARCH"]) == (env["GOHOSTOS"], env["GOHOSTARCH"]),
    )


def standard_library(go: str, runtime: Path) -> tuple[str, ...]:
    """The packages of the standard library that the runtime in ``runtime`` does not need.

    The others cannot import it: that would be a cycle, or it would trace itself.
    """
    everything = toolchain.run_go(go, ["list", "std"], runtime).split()
    flags = ["-deps", "-tags=trace,race,otlp"]
    needed = set(toolchain.run_go(go, ["list", *flags, "."], runtime).split())
    below = ("runtime", "internal/", "vendor/", "unsafe", "syscall")
    return tuple(p for p in everything if p not in needed and not p.startswith(below))


def _resolution(
    flags: Sequence[Flag], folder: Path, modules: Sequence[Module], work: str
) -> Iterator[str]:
    """Yield what has packages of one import path built from one folder or another."""
    yield from (f"-{name}={last(flags, name)}" for name in ("mod", "modfile"))
    files = [module.root / "go.mod" for module in modules]
    files += [folder / (last(flags, "modfile") or "go.mod"), Path(work)]
    for file in files:
        if file.is_file():
            yield from (
                line for line in file.read_text(errors="replace").splitlines() if "=>" in line
            )
    yield from (m.path for m in modules if (m.root / "vendor" / "modules.txt").exists())


def _modules(go: Path, command: GoCommand, folder: Path) -> tuple[Module, ...]:
    flags = [f"-{f.name}={f.value}" for f in command.flags if f.name in ("modfile", "mod")]
    text = toolchain.run_go(go, ["list", "-m", *flags, "-f", "{{.Path}}\t{{.Dir}}"], folder)
    pairs = (line.partition("\t") for line in text.splitlines())
    return tuple(Module(Path(root), path) for path, _, root in pairs)
