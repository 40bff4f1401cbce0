"""Preparation of a run: its session and the go command line."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import functrace
import functrace.sources
import functrace.sources.go
import rewriter
from functrace import __version__, messages
from functrace.cache.folders import choose
from functrace.gobuild import archives, go_environment, lifetime, packages, request_hooks
from functrace.gobuild.go_command import Flag, GoCommand, last
from functrace.gobuild.go_environment import Environment
from functrace.gobuild.otlp_sender import Sender, find_sender
from functrace.gobuild.package_filter import Scope
from functrace.gobuild.session import MARK, Session, build_options
from functrace.sources.go import runtime_copy
from rewriter.golang import Options

# Build flags that the standard library's archives depend on.
_FOR_ARCHIVES = ("race", "msan", "asan", "trimpath", "buildmode", "installsuffix", "asmflags")
_HELPER = "functrace.gobuild.toolexec"
_TOOLEXEC = """#!/bin/sh
# Commands without the mark run unchanged.
case " $* " in
*" {mark}"*|*/importcfg.link" "*) exec {helper} "$@" ;;
esac
exec {toolexec}"$@"
"""


@dataclass(frozen=True)
class Request:
    """Options of ``functrace go``, besides the go command's own arguments.

    Attributes:
        options: the rewriter's options, such as filters.
        deps: patterns of dependencies to instrument.
        std: instrument the standard library, except the runtime's dependencies.
        dry_run: print the go command without running it.
        keep: a directory for copies of the instrumented files.
        otlp: embed the sender, which FUNCTRACE=otlp starts, in programs.
        light: leave out functions that the compiler can inline, unless filters name functions.
    """

    options: Options
    deps: tuple[str, ...] = ()
    std: bool = False
    dry_run: bool = False
    keep: Path | None = None
    otlp: bool = False
    light: bool = False

    @property
    def needs_verdicts(self) -> bool:
        """Whether the compiler decides about functions; with ``--include`` all are named."""
        return self.light and not self.options.filters.include


def create_session(request: Request, where: Environment, folder: Path) -> Session:
    """Write the runtime and return the session of a run in ``folder``.

    Raises:
        FunctraceError: the runtime cannot be written or the sender cannot be built.
        UsageError: programs for this system cannot record.
    """
    scope = Scope(where.modules, request.deps, where.goroot)
    tags = _tags(where.flags)
    base = _cache(folder)
    sender = find_sender(where) if request.otlp else None
    key = _key(request, tags, base, sender)
    runtime_folder = base / "runtime" / key
    carried = sender.build(base / "sender") if sender and not request.dry_run else None
    archives.write_runtime(runtime_folder, key, carried)
    if request.std:
        scope = replace(scope, std=go_environment.standard_library(where.real_go, runtime_folder))
    ignore_other_runtimes = "trace" not in tags  # or the calls in the sources would print as well
    return Session(
        folder=str(folder),
        key=key,
        scope=scope,
        resolution=where.resolution,
        options=build_options(
            replace(request.options, ignore_other_runtimes=ignore_other_runtimes)
        ),
        cache=str(base / "files"),
        runtime=str(runtime_folder),
        go=where.real_go,
        go_flags=tuple(_archive_flags(where.flags, [*tags, "trace", *["otlp"] * request.otlp])),
        pgo=_pgo(where.flags, where.folder),
        toolexec=_toolexec(where.flags),
        light=request.needs_verdicts,
    )


def _cache(folder: Path) -> Path:
    """Return the cache directory, or ``folder`` if no cache directory is safe to use."""
    choice = choose("go")
    if choice.warning:
        messages.write_message(choice.warning)
    return Path(choice.folder) if choice.folder else folder


def _key(request: Request, tags: list[str], place: Path, sender: Sender | None) -> str:
    """Return a digest of everything that compiled packages depend on.

    The runtime's directory is included: its path is in the runtime's archive, and packages
    compiled against one archive do not link with another.
    """
    about = [
        __version__,
        _own_sources(),
        repr(request.options),
        "trace" in tags,
        "functrace_safe" in tags,
        str(place),
        sender.key if sender else "",
        request.needs_verdicts,
    ]
    return hashlib.sha256(json.dumps(about).encode(errors="surrogateescape")).hexdigest()[:20]


def _own_sources() -> str:
    """Return a digest of the code that instruments and of the runtime."""
    digest = hashlib.sha256()
    for package in (rewriter, functrace.sources.go, functrace.sources, request_hooks):
        for path in sorted(Path(str(package.__file__)).parent.rglob("*.py")):
            digest.update(path.read_bytes())
    for parser in ("tree-sitter", "tree-sitter-go"):
        digest.update(metadata.version(parser).encode())
    for content in (
        *runtime_copy.read_sources().values(),
        *runtime_copy.read_embedded_sources().values(),
        *(text for _, text in sorted(request_hooks.read_sources().items())),
    ):
        digest.update(content)
    return digest.hexdigest()


def _tags(flags: tuple[Flag, ...]) -> list[str]:
    return [t for t in (last(flags, "tags") or "").replace(",", " ").split() if t]


def _archive_flags(flags: tuple[Flag, ...], tags: list[str]) -> Iterator[str]:
    """Yield the flags for compiling the runtime and its imports as the build does."""
    yield "-tags=" + ",".join(dict.fromkeys(tags))
    for flag in flags:
        if flag.name in _FOR_ARCHIVES:
            yield f"-{flag.name}" + (f"={flag.value}" if flag.value is not None else "")
        # Flags without a pattern apply only to the packages named on the command line.
        if flag.name == "gcflags" and flag.value and not flag.value.startswith("-"):
            yield f"-gcflags={flag.value}"


def _pgo(flags: tuple[Flag, ...], folder: Path) -> str:
    value = last(flags, "pgo") or "auto"
    return value if value in ("auto", "off") else str(folder / value)


def _toolexec(flags: tuple[Flag, ...]) -> tuple[str, ...]:
    return tuple(shlex.split(last(flags, "toolexec") or ""))


def build_command_line(session: Session, command: GoCommand, where: Environment) -> list[str]:
    """Return the user's go command line with ``-toolexec`` and the marks added."""
    words = [str(where.go), command.verb]
    first, given = _chdir(command)
    words += first
    words.append(f"-toolexec=/bin/sh {shlex.quote(str(_script(session)))}")
    words.append(f"-{packages.ACTION_GRAPH_FLAG}={session.graph}")
    words += lifetime.flags(session, command, where)
    marks = session.marks()
    words += (f"-gcflags={pattern}={mark}" for pattern, mark in marks.items())
    # Only the last flag that matches a package applies: so each of the user's gets the mark.
    mark = " ".join(filter(None, dict.fromkeys(marks.values())))
    words += (_marked(f, mark) for f in where.goflags if f.name == "gcflags")
    if command.verb == "test" and last(where.flags, "count") is None:
        words.append("-count=1")  # a result from the cache would be a test that was not traced
    for item in given:
        words += _forward(item, mark)
    return [*words, *command.rest]


def _chdir(command: GoCommand) -> tuple[tuple[str, ...], tuple[Flag | str, ...]]:
    """Return the words of ``-C``, which must come first, and the remaining arguments."""
    if command.given and isinstance(command.given[0], Flag) and command.given[0].name == "C":
        return command.given[0].words, command.given[1:]
    return (), command.given


def _forward(item: Flag | str, mark: str) -> tuple[str, ...]:
    if isinstance(item, str):
        return (item,)
    if item.name in ("toolexec", packages.ACTION_GRAPH_FLAG):
        return ()  # our toolexec runs the user's; our graph is copied to the user's file
    return (_marked(item, mark),) if item.name == "gcflags" else item.words


def _marked(flag: Flag, mark: str) -> str:
    return f"-gcflags={flag.value or ''} {mark}".replace("= -", "=-", 1)


def _script(session: Session) -> Path:
    return Path(session.folder) / "toolexec"


def write_script(session: Session) -> None:
    """Write the script that the go command runs as ``-toolexec``."""
    # Started often, so skip Python's site initialization and pass the import path.
    code = f"import sys; sys.path[:] = {_import_path()!r}; from {_HELPER} import main; main()"
    helper = [sys.executable, "-I", "-S", "-c", code, str(session.save())]
    script = _TOOLEXEC.format(
        mark=MARK,
        helper=shlex.join(helper),
        toolexec="".join(shlex.quote(word) + " " for word in session.toolexec),
    )
    _script(session).write_text(script, encoding="utf-8", errors="surrogateescape")


def _import_path() -> list[str]:
    own = str(Path(functrace.__file__).resolve().parents[1])
    return [own, *(path for path in sys.path if path not in ("", own))]
