"""A go command run on an instrumented view of its packages."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from functrace import messages, parent_death
from functrace.cache import leftovers
from functrace.cache.trimming import trim
from functrace.errors import FunctraceError
from functrace.gobuild import environment, lifetime, package_graph, packages, prepare, refusals
from functrace.gobuild.environment import Environment
from functrace.gobuild.go_command import GoCommand, last, parse
from functrace.gobuild.prepare import Request
from functrace.gobuild.session import Session
from functrace.results import Summary

# Verbs that compile; the others, such as vet, see the sources as they are.
TRACED = ("build", "install", "run", "test")


@dataclass(frozen=True)
class Outcome:
    """What there is to tell.

    Attributes:
        summary: what was instrumented; None if there was nothing to count.
        packages: in how many packages.
        output: the folder with the call chains of tests, if they went there.
    """

    summary: Summary | None
    packages: int
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
    where = environment.look(command)
    refusals.refuse_flags(command, where)
    refusals.refuse_place(command, where, has_deps=bool(request.deps))
    with leftovers.session_folder() as folder:
        session = prepare.session_of(request, where, folder)
        words = prepare.words(session, command, where)
        if request.dry_run:
            messages.show(shlex.join(words))
            return 0
        prepare.write_script(session)
        with lifetime.locked(session):
            status = _executed(request, session, command, where, words, tell)
        trim(session.cache)
    return status


def _executed(
    request: Request,
    session: Session,
    command: GoCommand,
    where: Environment,
    words: list[str],
    tell: Callable[[Outcome], None],
) -> int:
    variables, output = _variables(command)
    go = subprocess.Popen(words, env={**os.environ, **variables}, preexec_fn=parent_death.tie())
    with _signals_left_to(go):
        names = package_graph.packages(session.graph, go)
        counted = _counted(request, session, command, where, names)
        early = command.verb == "run"  # what comes later comes when the program has ended
        if early:
            tell(Outcome(*counted))
        status = go.wait()
    status = 128 - status if status < 0 else status
    theirs = last(where.flags, package_graph.FLAG)
    if theirs and session.graph.exists():
        shutil.copyfile(session.graph, where.folder / theirs)
    if output and not any(output.iterdir()):
        output.rmdir()
        output = None
    if not early:
        tell(Outcome(*counted, output))
    return status


def _variables(command: GoCommand) -> tuple[dict[str, str], Path | None]:
    """What tests are to find in their environment: standard output is theirs."""
    builds_only = command.is_set("c") or command.value("list") is not None
    if command.verb != "test" or builds_only or "FUNCTRACE_OUT" in os.environ:
        return {}, None
    if os.environ.get("FUNCTRACE") in ("off", "otlp"):
        return {}, None
    output = Path(tempfile.mkdtemp(prefix="functrace-test-"))
    kind = "ftrace" if os.environ.get("FUNCTRACE") == "record" else "txt"
    return {"FUNCTRACE_OUT": f"{str(output).replace('%', '%%')}/%p.{kind}"}, output


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
    request: Request, session: Session, command: GoCommand, where: Environment, names: set[str]
) -> tuple[Summary | None, int]:
    if not names:
        return None, 0  # the go command itself says what is wrong
    try:
        used = packages.used(session, command, where, names)
    except FunctraceError:
        return None, 0
    summary, touched = packages.count(session, used, request.keep)
    filters = request.options.filters
    summary.notes += session.scope.unmatched(names)
    summary.notes += summary.unmatched(filters.include, filters.exclude)
    return summary, touched
