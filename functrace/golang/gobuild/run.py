"""A go command run on an instrumented view of its packages."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache as once
from pathlib import Path

import functrace
import rewriter
from functrace import __version__
from functrace.errors import FunctraceError, UsageError
from functrace.golang import runtime
from functrace.golang.gobuild import archives, cache, environment, packages
from functrace.golang.gobuild.command import Flag, GoCommand, parse
from functrace.golang.gobuild.environment import Environment
from functrace.golang.gobuild.scope import Scope
from functrace.golang.gobuild.session import MARK, RUNTIME, Session, for_build
from functrace.report import Summary
from rewriter.golang import Options

# Verbs that compile; the others, such as vet, see the sources as they are.
TRACED = ("build", "install", "run", "test")
# What the standard library's archives depend on, as flags of the build.
_FOR_ARCHIVES = ("race", "msan", "asan", "trimpath", "buildmode", "installsuffix", "asmflags")
# What decides which packages and files a build has.
_FOR_LIST = ("mod", "modfile", "modcacherw", "overlay", "tags", "race", "msan", "asan")
_HELPER = "functrace.golang.gobuild.toolexec"
_TOOLEXEC = """#!/bin/sh
# What functrace has no part in runs as it is.
case " $* " in
*" {mark}"*|*/importcfg.link" "*) exec {helper} "$@" ;;
esac
exec {toolexec}"$@"
"""


@dataclass(frozen=True)
class Request:
    """What is asked of ``functrace go``, besides the go command's own arguments.

    Attributes:
        options: filters, and whether closures are taken.
        deps: patterns of dependencies to instrument as well.
        std: the standard library as well, but for what the runtime needs of it.
        dry_run: print the go command, run nothing.
        keep: a folder for the instrumented files, for reading.
    """

    options: Options
    deps: tuple[str, ...] = ()
    std: bool = False
    dry_run: bool = False
    keep: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    Attributes:
        status: the go command's exit status.
        summary: what was instrumented; None if there was nothing to count.
        packages: in how many packages.
        output: the folder with the call chains of tests, if they went there.
    """

    status: int
    summary: Summary | None = None
    packages: int = 0
    output: Path | None = None


def run(
    request: Request,
    verb: str,
    arguments: list[str],
    tell: Callable[[Outcome], None],
) -> int:
    """Run ``go VERB ARGUMENTS`` and return its exit status; ``tell`` gets what was done.

    Raises:
        FunctraceError: it cannot be run; nothing was.
        UsageError: a combination that cannot be traced, with what to use instead.
    """
    command = parse(verb, arguments)
    _refuse(command)
    where = environment.look(command)
    with _folder() as folder:
        session = _session(request, command, where, folder)
        if not (session.scope.modules or session.scope.deps or _names_files(command)):
            raise UsageError("no go.mod here or above: name Go files, or work in a module")
        words = _words(session, command, where)
        if request.dry_run:
            sys.stdout.write(shlex.join(words) + "\n")
            return 0
        _write_script(session)
        outcome = _executed(request, session, command, where, words, tell)
        cache.Cache(session.cache).trim()
    return outcome


def _refuse(command: GoCommand) -> None:
    if command.is_set("linkshared") or command.value("buildmode") == "shared":
        raise UsageError("shared Go libraries cannot be traced: build without -linkshared")
    if command.value("compiler") not in (None, "gc"):
        raise UsageError("-compiler: only Go's own compiler can be traced")
    if command.value("pkgdir"):
        raise UsageError("-pkgdir keeps packages that are not instrumented: leave it out")
    for package in command.operands:
        if "@" in package and not Path(package).exists():
            raise UsageError(
                f"{package} is no package of a module here: clone it, and run functrace go there"
            )
    if command.value("coverpkg") in ("all", "std", "..."):
        raise UsageError("-coverpkg covers the standard library: name your own, -coverpkg=./...")


def _names_files(command: GoCommand) -> bool:
    return bool(command.operands) and all(o.endswith(".go") for o in command.operands)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="functrace-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _session(request: Request, command: GoCommand, where: Environment, folder: Path) -> Session:
    for path, _ in where.modules:
        if path in ("std", "cmd", RUNTIME):
            raise UsageError(f"module {path} cannot import functrace's runtime, which needs it")
    flags = (*where.goflags, *command.flags)
    scope = Scope(where.modules, request.deps)
    key = _key(request, tags := _tags(flags))
    root = cache.root()
    runtime_folder = archives.write_runtime((root / "runtime" / key, folder / "runtime"), key)
    if request.std:
        scope = replace(scope, std=environment.standard_library(where.real_go, runtime_folder))
    own_calls_only = "trace" not in tags  # or the calls in the sources would print as well
    return Session(
        folder=str(folder),
        key=key,
        scope=scope,
        options=for_build(replace(request.options, own_calls_only=own_calls_only)),
        cache=str(root / "files"),
        runtime=str(runtime_folder),
        go=where.real_go,
        go_flags=tuple(_archive_flags(flags, tags)),
        pgo=_pgo(flags, where.folder),
        toolexec=_toolexec(flags),
    )


def _key(request: Request, tags: list[str]) -> str:
    about = [
        __version__,
        _own_sources(),
        repr(request.options),
        "trace" in tags,
    ]
    return hashlib.sha256(json.dumps(about).encode(errors="surrogateescape")).hexdigest()[:20]


@once
def _own_sources() -> str:
    """A digest of what decides how a file is instrumented, and of the runtime."""
    digest = hashlib.sha256()
    for path in sorted(Path(rewriter.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    for content in runtime.sources().values():
        digest.update(content)
    return digest.hexdigest()


def _last(flags: tuple[Flag, ...], name: str) -> str | None:
    values = [f.value or "" for f in flags if f.name == name]
    return values[-1] if values else None


def _tags(flags: tuple[Flag, ...]) -> list[str]:
    return [t for t in (_last(flags, "tags") or "").replace(",", " ").split() if t]


def _archive_flags(flags: tuple[Flag, ...], tags: list[str]) -> Iterator[str]:
    """Flags under which the runtime and what it imports compile as they do in the build."""
    yield "-tags=" + ",".join(dict.fromkeys([*tags, "trace"]))
    for flag in flags:
        if flag.name in _FOR_ARCHIVES:
            yield f"-{flag.name}" + (f"={flag.value}" if flag.value is not None else "")
        # Without a pattern they are for the packages named on the command line alone.
        if flag.name == "gcflags" and flag.value and not flag.value.startswith("-"):
            yield f"-gcflags={flag.value}"


def _pgo(flags: tuple[Flag, ...], folder: Path) -> str:
    value = _last(flags, "pgo") or "auto"
    return value if value in ("auto", "off") else str(folder / value)


def _toolexec(flags: tuple[Flag, ...]) -> tuple[str, ...]:
    return tuple(shlex.split(_last(flags, "toolexec") or ""))


def _words(session: Session, command: GoCommand, where: Environment) -> list[str]:
    """The go command to run: the user's, with the mark for the packages in question."""
    words = [str(where.go), command.verb]
    given = list(command.flags)
    if given and given[0].name == "C":
        words += given.pop(0).words  # the go command wants it first
    words.append(f"-toolexec=/bin/sh {shlex.quote(str(_script(session)))}")
    marks = session.marks()
    words += (f"-gcflags={pattern}={mark}" for pattern, mark in marks.items())
    # The last flag that matches a package is the only one: so ours goes with each of the user's.
    mark = " ".join(dict.fromkeys(marks.values()))
    words += (_marked(f, mark) for f in where.goflags if f.name == "gcflags")
    if command.verb == "test" and command.value("count") is None:
        words.append("-count=1")  # a result from the cache would be a test that was not traced
    for flag in given:
        if flag.name == "gcflags":
            words.append(_marked(flag, mark))
        elif flag.name != "toolexec":
            words += flag.words
    return [*words, *command.operands, *command.rest]


def _marked(flag: Flag, mark: str) -> str:
    return f"-gcflags={flag.value or ''} {mark}".replace("= -", "=-", 1)


def _script(session: Session) -> Path:
    return Path(session.folder) / "toolexec"


def _write_script(session: Session) -> None:
    # Started often, so without what Python does to find out by itself where modules are.
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


def _executed(
    request: Request,
    session: Session,
    command: GoCommand,
    where: Environment,
    words: list[str],
    tell: Callable[[Outcome], None],
) -> int:
    variables, output = _variables(command)
    go = subprocess.Popen(words, env={**os.environ, **variables})
    with _signals_left_to(go):
        counted = _counted(request, session, command, where)
        early = command.verb == "run"  # what comes later comes when the program has ended
        if early:
            tell(Outcome(0, *counted))
        status = go.wait()
    status = 128 - status if status < 0 else status
    if output and not any(output.iterdir()):
        output.rmdir()
        output = None
    if not early:
        tell(Outcome(status, *counted, output))
    return status


def _variables(command: GoCommand) -> tuple[dict[str, str], Path | None]:
    """What tests are to find in their environment: standard output is theirs."""
    builds_only = command.is_set("c") or command.value("list") is not None
    if command.verb != "test" or builds_only or "FUNCTRACE_OUT" in os.environ:
        return {}, None
    if os.environ.get("FUNCTRACE") == "off":
        return {}, None
    output = Path(tempfile.mkdtemp(prefix="functrace-test-"))
    return {"FUNCTRACE_OUT": f"{str(output).replace('%', '%%')}/%p.txt"}, output


@contextmanager
def _signals_left_to(go: subprocess.Popen[bytes]) -> Iterator[None]:
    """The terminal interrupts the go command as well; what comes to us alone is passed on."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: go.terminate()),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _counted(
    request: Request, session: Session, command: GoCommand, where: Environment
) -> tuple[Summary | None, int]:
    flags = [w for f in command.flags if f.name in _FOR_LIST for w in f.words]
    arguments = [*flags, "--", *command.operands]
    is_test = command.verb == "test"
    try:
        used = packages.used(session, where.go, arguments, where.folder, tests=is_test)
    except FunctraceError:
        return None, 0  # the go command itself says what is wrong
    overlay = _last((*where.goflags, *command.flags), "overlay")
    if overlay:
        used = packages.overlaid(used, where.folder / overlay)
    return packages.count(session, used, request.keep)
