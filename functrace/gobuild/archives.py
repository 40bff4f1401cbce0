"""Compiled archives of the runtime and its imports, built with the flags of the user's build."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Sequence
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


def find(session: Session, package: str, command: Sequence[str]) -> Archives:
    """Return the archives of the runtime and its dependencies for a build of ``package``.

    ``command`` is that of the compiler or linker.

    Raises:
        FunctraceError: the go command could not build them.
    """
    profile = find_profile(session, package, command) or "off"
    flags = [*session.go_flags, f"-pgo={profile}"]
    name = hashlib.sha256(json.dumps(flags).encode()).hexdigest()[:16]
    path = Path(session.folder) / f"archives-{name}.json"
    with open(path.with_suffix(".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one compiler call makes them, the others wait
        if not path.exists():
            write_atomic(path, json.dumps(_list_archives(session, flags)).encode(), durable=False)
    found: Archives = json.loads(path.read_bytes())
    return found


_PROFILE_FLAG = "-pgoprofile="
_PROFILE = "default.pgo"


def find_profile(session: Session, package: str, command: Sequence[str]) -> str | None:
    """Return the profile that ``package`` is built with, or ``off``; None if it is not known."""
    if session.pgo != "auto":
        return session.pgo
    path, _, program = package.partition(" ")
    if program and not program.endswith(".test]"):
        path = program.strip("[]")  # a dependency of one of several programs
    profile = _profile_of(session, path)
    is_compiler = any(word == "-p" for word in command)
    if not is_compiler:
        return profile or "off"
    given = [word for word in command if word.startswith(_PROFILE_FLAG)]
    if not given:
        return "off"
    if given[0].endswith(f"/{_PROFILE}"):
        return given[0].removeprefix(_PROFILE_FLAG)
    # Go 1.23 and newer pass what they have made of the profile.
    return profile or _only_profile(session)


def _profile_of(session: Session, program: str) -> str | None:
    folder = session.scope.folder(program.removesuffix(".test"))
    profile = folder / _PROFILE if folder else None
    return str(profile) if profile and profile.exists() else None


def _only_profile(session: Session) -> str | None:
    """Return the profile of the build's programs, or None if they have different ones."""
    try:
        actions = json.loads(session.graph.read_bytes())
    except (OSError, ValueError):
        return None
    programs = {action.get("Package", "") for action in actions if action.get("Mode") == "link"}
    profiles = {profile for name in programs if (profile := _profile_of(session, name))}
    return profiles.pop() if len(profiles) == 1 else None


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
