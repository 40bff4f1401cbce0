"""The sender that a traced program carries, built for the system that the program is built for."""

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
from functrace.gobuild.environment import Environment
from functrace.sources.go import runtime_copy, toolchain
from functrace.sources.write import write_atomic

# The program, and the file that the runtime embeds.
NAME = "functrace-otlp"
# The target, and what else the go command makes another program for.
_TARGET = (
    "GOOS GOARCH GOVERSION GO386 GOAMD64 GOARM GOARM64 GOMIPS GOMIPS64 GOPPC64 GORISCV64".split()
)
# Where no program can record there is nothing to send.
_UNSUPPORTED = ("windows", "plan9", "js", "wasip1")


@dataclass(frozen=True)
class Sender:
    """A sender to be built, or built before.

    Attributes:
        go: the go command that builds it.
        target: what decides what it is built for, by the go command's names.
        key: stands for its sources and the target.
    """

    go: str
    target: dict[str, str]
    key: str

    def build(self, place: Path) -> bytes:
        """Return the program, built if the cache in ``place`` does not have it.

        Raises:
            FunctraceError: it cannot be built, such as for want of the modules that it needs.
        """
        module = place / f"{self.key}.module"
        try:
            make_private(str(module))
            with open(module / "lock", "wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # one build makes it, others wait
                program = entries.read(str(place), self.key)
                if program is None:
                    program = self._compiled(module)
                    entries.put(str(place), self.key, program)
        except OSError as error:
            raise FunctraceError(f"{error.filename or module}: {error.strerror}") from None
        return program

    def _compiled(self, module: Path) -> bytes:
        messages.say(f"building {NAME}, once for this system", sender="functrace go")
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
        """The build's own, but for what is about its modules."""
        gone = ("GO111MODULE", "TOOLEXEC_IMPORTPATH")
        kept = {k: v for k, v in os.environ.items() if k not in gone}
        own = {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
        return {**kept, **self.target, **own}


def _first(told: str) -> str:
    """The first thing that is wrong, of what the go command says while it works."""
    lines = told.splitlines()
    return next((line for line in lines if not line.startswith("go: downloading ")), told)


def sender_for(where: Environment) -> Sender:
    """The sender for programs that are built there.

    Raises:
        FunctraceError: the go command does not say what it builds for.
        UsageError: for a system where nothing can be recorded.
    """
    text = toolchain.run_go(where.real_go, ["env", "-json", *_TARGET], where.folder)
    target = {name: value for name, value in json.loads(text).items() if value}
    if target["GOOS"] in _UNSUPPORTED:
        raise UsageError(f"--otlp: nothing can be recorded on {target['GOOS']}, so nothing sent")
    digest = hashlib.sha256(json.dumps(target).encode())
    for name, content in runtime_copy.read_sender_sources().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    del target["GOVERSION"]  # nothing that a variable could set
    return Sender(where.real_go, target, digest.hexdigest()[:20])
