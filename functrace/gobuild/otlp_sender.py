"""Build of the OTLP sender that is embedded in a traced program, for the program's target."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from functrace import messages
from functrace.cache import entries
from functrace.cache.folders import make_private
from functrace.errors import FunctraceError, UsageError
from functrace.gobuild.go_environment import Environment
from functrace.sources.go import runtime_copy, toolchain
from functrace.sources.write import write_atomic

# Name of the program and of the file that the runtime embeds.
NAME = "functrace-otlp"
# Settings that determine the target of a build.
_TARGET = (
    "GOOS GOARCH GOVERSION GO386 GOAMD64 GOARM GOARM64 GOMIPS GOMIPS64 GOPPC64 GORISCV64".split()
)
# Systems on which no program can record.
_UNSUPPORTED = ("windows", "plan9", "js", "wasip1")


@dataclass(frozen=True)
class Sender:
    """A sender for one target.

    Attributes:
        go: the go command that builds it.
        target: environment variables of the go command that select the target.
        key: digest of its sources and target.
    """

    go: str
    target: dict[str, str]
    key: str

    def build(self, place: Path) -> bytes:
        """Return the program; build it unless the cache in ``place`` contains it.

        Raises:
            FunctraceError: it cannot be built, for example because a module cannot be downloaded.
        """
        module = place / f"{self.key}.module"
        try:
            make_private(str(module))
            with open(module / "lock", "wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # one process builds it, others wait
                program = entries.read(str(place), self.key)
                if program is None:
                    program = self._compiled(module)
                    entries.put(str(place), self.key, program)
        except OSError as error:
            raise FunctraceError(
                f"--otlp: {NAME} cannot be built or cached: {error.filename or module}:"
                f" {error.strerror}"
            ) from None
        return program

    def _compiled(self, module: Path) -> bytes:
        messages.write_message(
            f"building {NAME} for this system; later builds use it again", sender="functrace go"
        )
        for name, content in runtime_copy.read_sender_sources().items():
            path = module / name
            make_private(str(path.parent))
            write_atomic(path, content, durable=False)
        words = ["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", NAME, "."]
        try:
            toolchain.run_go(self.go, words, module, self._environment())
        except FunctraceError as error:
            raise FunctraceError(
                f"--otlp: {NAME} cannot be built, for which the go command must get modules from "
                f"its proxy once: {_first(str(error))}"
            ) from None
        program = (module / NAME).read_bytes()
        (module / NAME).unlink()
        return program

    def _environment(self) -> dict[str, str]:
        """Return the environment of the build without its module settings."""
        removed = ("GO111MODULE", "TOOLEXEC_IMPORTPATH")
        kept = {k: v for k, v in os.environ.items() if k not in removed}
        own = {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
        return {**kept, **self.target, **own}


def _first(output: str) -> str:
    """Return the first error in the output of the go command."""
    lines = output.splitlines()
    return next((line for line in lines if not line.startswith("go: downloading ")), output)


def find_sender(where: Environment) -> Sender:
    """Return the sender for programs that are built in this environment.

    Raises:
        FunctraceError: the go command failed to report its target.
        UsageError: programs for this system cannot record.
    """
    text = toolchain.run_go(where.real_go, ["env", "-json", *_TARGET], where.folder)
    target = {name: value for name, value in json.loads(text).items() if value}
    if target["GOOS"] in _UNSUPPORTED:
        raise UsageError(f"--otlp: recording is not supported on {target['GOOS']}")
    digest = hashlib.sha256(json.dumps(target).encode())
    for name, content in runtime_copy.read_sender_sources().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    del target["GOVERSION"]  # not settable by an environment variable
    return Sender(where.real_go, target, digest.hexdigest()[:20])
