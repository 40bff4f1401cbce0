"""Environment of a build: settings of the go command in its directory."""

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
    """Environment of a build.

    Attributes:
        go: the user's go command.
        goroot: the root of the distribution that it selects for this directory, possibly by
            go.mod's toolchain line.
        folder: the working directory of the go command, after ``-C``.
        goflags: the flags in ``GOFLAGS``.
        flags: ``goflags``, then the command's flags; the last flag of a name applies.
        modules: the main modules; empty outside of a module.
        resolution: settings, besides the main modules, that determine which directory a package
            is built from.
        is_for_this_system: whether the built program can run on this system.
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
        """The go command of :attr:`goroot`, which does not switch to another toolchain."""
        return str(self.goroot / "bin" / "go")


def detect(command: GoCommand) -> Environment:
    """Return the environment in which ``command`` builds.

    Raises:
        FunctraceError: no go command is installed, or it failed.
        UsageError: the go command is too old, or modules are disabled.
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
    """Return the packages of the standard library that can be instrumented.

    The dependencies of the runtime in ``runtime`` cannot import it: that would be an import
    cycle, or the runtime would trace itself.
    """
    everything = toolchain.run_go(go, ["list", "std"], runtime).split()
    flags = ["-deps", "-tags=trace,race,otlp"]
    needed = set(toolchain.run_go(go, ["list", *flags, "."], runtime).split())
    below = ("runtime", "internal/", "vendor/", "unsafe", "syscall")
    return tuple(p for p in everything if p not in needed and not p.startswith(below))


def _resolution(
    flags: Sequence[Flag], folder: Path, modules: Sequence[Module], work: str
) -> Iterator[str]:
    """Yield the settings that determine which directory a package is built from."""
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
