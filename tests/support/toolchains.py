"""The Go toolchains to test with: that on PATH, and those that make has installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from functrace.golang.toolchain import Toolchain, find

_LIST = Path(__file__).resolve().parents[2] / "build" / "toolchains"


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
    def source(self) -> Path:
        """The distribution's own sources."""
        return self.binaries.parent / "src"


@cache
def newest() -> Go | None:
    """The newest Go there is, or None."""
    return max(_all(), key=lambda go: go.release, default=None)


@cache
def oldest() -> Go | None:
    """The oldest Go there is, or None."""
    return min(_all(), key=lambda go: go.release, default=None)


def _all() -> Iterator[Go]:
    found = find()
    if found is not None:
        yield Go(found.goroot / "bin", found.release)
    for line in _LIST.read_text().splitlines() if _LIST.exists() else ():
        goroot = Path(line).parent
        version = (goroot / "VERSION").read_text().split()[0]
        yield Go(Path(line), Toolchain(Path(line), version, goroot).release)
