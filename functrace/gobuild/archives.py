"""Compiled archives of the runtime and its imports, built with the flags of the user's build."""

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

# Instrumented packages must be recompiled, and programs relinked, when the runtime changes:
# an exported constant makes the difference visible to compiler and linker.
_BUILD = """//go:build trace

package functrace

// Build identifies this runtime.
const Build = {}
"""
# Import path -> archive file, as in the import configuration of the compiler and linker.
Archives = dict[str, str]


def write_runtime(folder: Path, key: str, sender: bytes | None) -> None:
    """Write the runtime's module, with the sender to embed if any, to its directory ``folder``.

    Existing files are compared with their expected content and repaired.

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
    """Return the archives of the runtime and its dependencies for a build of ``package``.

    Raises:
        FunctraceError: the go command could not build them.
    """
    flags = [*session.go_flags, f"-pgo={_profile(session, package)}"]
    name = hashlib.sha256(json.dumps(flags).encode()).hexdigest()[:16]
    path = Path(session.folder) / f"archives-{name}.json"
    with open(path.with_suffix(".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one compiler call makes them, the others wait
        if not path.exists():
            write_atomic(path, json.dumps(_list_archives(session, flags)).encode(), durable=False)
    found: Archives = json.loads(path.read_bytes())
    return found


def _profile(session: Session, package: str) -> str:
    """Return the profile for the build of the program that ``package`` belongs to, or ``off``."""
    if session.pgo != "auto":
        return session.pgo
    path, _, program = package.partition(" ")
    if program and not program.endswith(".test]"):
        path = program.strip("[]")  # a dependency of the program, compiled with its profile
    folder = session.scope.folder(path.removesuffix(".test"))
    profile = folder / "default.pgo" if folder else None
    return str(profile) if profile and profile.exists() else "off"


def _list_archives(session: Session, flags: list[str]) -> Archives:
    words = ["list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", *flags, "."]
    try:
        text = toolchain.run_go(session.go, words, Path(session.runtime), _environment())
    except FunctraceError as error:
        raise FunctraceError(
            "cannot build the functrace runtime: go list failed:", *error.args
        ) from None
    pairs = (line.partition("=") for line in text.splitlines())
    return {path: export for path, _, export in pairs if export}


def _environment() -> dict[str, str]:
    """Return the environment of the build without its module settings."""
    removed = ("GOFLAGS", "GO111MODULE", "TOOLEXEC_IMPORTPATH")
    kept = {k: v for k, v in os.environ.items() if k not in removed}
    return {**kept, "GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local"}
