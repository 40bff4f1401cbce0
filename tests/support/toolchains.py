"""The Go toolchains to test with: that on PATH, and those that make has installed in build/go."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from functrace.sources.go.toolchain import Toolchain, find

_INSTALLED = Path(__file__).resolve().parents[2] / "build" / "go"


@dataclass(frozen=True)
class Go:
    """A toolchain that tests may run."""

    binaries: Path
    release: tuple[int, int]

    def environment(self, base: Mapping[str, str] = os.environ, *before: Path) -> dict[str, str]:
        """``base`` with this Go on PATH, behind the folders ``before``."""
        path = os.pathsep.join((*map(str, (*before, self.binaries)), base["PATH"]))
        return {**base, "PATH": path, "GOTOOLCHAIN": "local"}

    def run(
        self, *arguments: str, cwd: Path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the go command and return what it said."""
        env = {**self.environment(), "GOFLAGS": "-buildvcs=false", **environment}
        command = [str(self.binaries / "go"), *arguments]
        return subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, check=False
        )

    def unformatted(self, *paths: Path) -> set[str]:
        """What gofmt -l lists of these."""
        command = [str(self.binaries / "gofmt"), "-l", *map(str, paths)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        return set(run.stdout.splitlines())

    @property
    def name(self) -> str:
        """go1.27, say."""
        return "go{}.{}".format(*self.release)

    @property
    def source(self) -> Path:
        """The distribution's own sources."""
        return self.binaries.parent / "src"


@cache
def usual() -> Go | None:
    """What all is tested with: the Go on PATH, or else the newest that is installed."""
    return _on_path() or max(_installed(), key=_release, default=None)


@cache
def ends() -> tuple[Go, ...]:
    """The oldest and the newest that are installed, but the usual one."""
    found = sorted(_installed(), key=_release)
    known = usual()
    ends = dict.fromkeys((*found[:1], *found[-1:]))  # each once, in the same order in all workers
    return tuple(go for go in ends if known and go.release != known.release)


def _release(go: Go) -> tuple[int, int]:
    return go.release


def _on_path() -> Go | None:
    found = find()
    return Go(found.goroot / "bin", found.release) if found is not None else None


def _installed() -> Iterator[Go]:
    for goroot in _INSTALLED.glob("*/go"):
        version = (goroot / "VERSION").read_text().split()[0]
        yield Go(goroot / "bin", Toolchain(goroot / "bin", version, goroot).release)
