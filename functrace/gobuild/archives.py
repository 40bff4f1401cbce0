"""The compiled runtime and what it imports, compiled as the build compiles its own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path

from functrace.cache.folders import make_private
from functrace.errors import FunctraceError
from functrace.gobuild.otlp_sender import NAME as SENDER
from functrace.gobuild.session import RUNTIME, Session
from functrace.sources.go import runtime_copy, toolchain
from functrace.sources.write import write_atomic

# An instrumented package must be compiled anew when the runtime changes, and a
# program linked anew: an exported constant makes the difference visible to both.
_BUILD = """//go:build trace

package functrace

// Build stands for this very runtime.
const Build = {}
"""
# The compiler's import and link configuration has a line like this for every package.
Archives = dict[str, str]


def write_runtime(folder: Path, key: str, sender: bytes | None) -> None:
    """Put the runtime's module into ``folder``, which is its alone, and the sender that it carries.

    What is there already is compared: damage does not stay.

    Raises:
        FunctraceError: it cannot be written.
    """
    files = dict(runtime_copy.read_sources())
    if sender:
        files |= {**runtime_copy.read_embedded_sources(), SENDER: sender}
    files["go.mod"] = f"module {RUNTIME}\n\ngo 1.21\n".encode()
    files["build.go"] = _BUILD.format(json.dumps(key)).encode()
    try:
        make_private(str(folder))
        for name, content in files.items():
            path = folder / name
            if not path.exists() or path.read_bytes() != content:
                write_atomic(path, content, durable=False)
    except OSError as error:
        raise FunctraceError(f"{error.filename or folder}: {error.strerror}") from None


def find(session: Session, package: str) -> Archives:
    """The archive of the runtime and of every package below it, for a build of ``package``.

    Raises:
        FunctraceError: the go command could not make them.
    """
    flags = [*session.go_flags, f"-pgo={_profile(session, package)}"]
    name = hashlib.sha256(json.dumps(flags).encode()).hexdigest()[:16]
    path = Path(session.folder) / f"archives-{name}.json"
    with open(path.with_suffix(".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one compiler call makes them, the others wait
        if not path.exists():
            write_atomic(path, json.dumps(_listed(session, flags)).encode(), durable=False)
    found: Archives = json.loads(path.read_bytes())
    return found


def _profile(session: Session, package: str) -> str:
    """The profile that the build of a program optimises by, whatever package of it is meant."""
    if session.pgo != "auto":
        return session.pgo
    folder = session.scope.folder(package.partition(" ")[0].removesuffix(".test"))
    profile = folder / "default.pgo" if folder else None
    return str(profile) if profile and profile.exists() else "off"


def _listed(session: Session, flags: list[str]) -> Archives:
    words = ["list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", *flags, "."]
    try:
        text = toolchain.run_go(session.go, words, Path(session.runtime), _environment())
    except FunctraceError as error:
        raise FunctraceError("the runtime does not compile:", *error.args) from None
    pairs = (line.partition("=") for line in text.splitlines())
    return {path: export for path, _, export in pairs if export}


def _environment() -> dict[str, str]:
    """The build's own, but for what is about its modules."""
    gone = ("GOFLAGS", "GO111MODULE", "TOOLEXEC_IMPORTPATH")
    kept = {k: v for k, v in os.environ.items() if k not in gone}
    return {**kept, "GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local"}
