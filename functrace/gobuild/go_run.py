"""Execution of a go command on instrumented packages."""

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
from functrace.gobuild import go_environment, lifetime, light_counts, packages, prepare, refusals
from functrace.gobuild.go_command import GoCommand, last, parse
from functrace.gobuild.go_environment import Environment
from functrace.gobuild.prepare import Request
from functrace.gobuild.session import Session
from functrace.results import Summary

# Verbs that compile; the others, such as vet, run on the original sources.
TRACED = ("build", "install", "run", "test")


@dataclass(frozen=True)
class Outcome:
    """Result of a run for the report.

    Attributes:
        summary: counts of what was instrumented; None if they are not known.
        packages: number of packages with an instrumented function.
        output: the directory with the call chains of tests, if any were written.
    """

    summary: Summary | None
    packages: int
    output: Path | None = None


def run(
    request: Request,
    verb: str,
    arguments: list[str],
    report: Callable[[Outcome], None],
) -> int:
    """Run ``go VERB ARGUMENTS`` and return its exit status; call ``report`` with the outcome.

    Raises:
        FunctraceError: the command cannot be run.
        UsageError: the combination of options cannot be traced; the message has an alternative.
    """
    command = parse(verb, arguments)
    where = go_environment.detect(command)
    refusals.refuse_flags(command, where)
    refusals.refuse_place(command, where, has_deps=bool(request.deps))
    with leftovers.session_folder() as folder:
        session = prepare.create_session(request, where, folder)
        words = prepare.build_command_line(session, command, where)
        if request.dry_run:
            messages.write_command(shlex.join(words))
            return 0
        prepare.write_script(session)
        with lifetime.locked(session):
            status = _executed(request, session, command, where, words, report)
        trim(session.cache)
    return status


def _executed(
    request: Request,
    session: Session,
    command: GoCommand,
    where: Environment,
    words: list[str],
    report: Callable[[Outcome], None],
) -> int:
    variables, output = _variables(command)
    go = subprocess.Popen(words, env={**os.environ, **variables}, preexec_fn=parent_death.tie())
    with _signals_left_to(go):
        names = packages.read_action_graph(session.graph, go)
        counted = None if session.light else _counted(request, session, command, where, names)
        should_report_early = command.verb == "run"  # the program may run for a long time
        if counted and should_report_early:
            report(Outcome(*counted))
        status = go.wait()
    status = 128 - status if status < 0 else status
    users_graph = last(where.flags, packages.ACTION_GRAPH_FLAG)
    if users_graph and session.graph.exists():
        shutil.copyfile(session.graph, where.folder / users_graph)
    if output and not any(output.iterdir()):
        output.rmdir()
        output = None
    if counted is None:
        report(Outcome(*_counted_light(request, session, names, status), output))
    elif not should_report_early:
        report(Outcome(*counted, output))
    return status


def _variables(command: GoCommand) -> tuple[dict[str, str], Path | None]:
    """Return the environment that sends the tests' call chains to files, not standard output."""
    builds_only = command.is_set("c") or command.value("list") is not None
    if command.verb != "test" or builds_only or "FUNCTRACE_OUT" in os.environ:
        return {}, None
    if os.environ.get("FUNCTRACE") in ("off", "otlp", "ring"):
        return {}, None
    output = Path(tempfile.mkdtemp(prefix="functrace-test-"))
    kind = "ftrace" if os.environ.get("FUNCTRACE") == "record" else "txt"
    return {"FUNCTRACE_OUT": f"{str(output).replace('%', '%%')}/%p.{kind}"}, output


@contextmanager
def _signals_left_to(go: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ignore SIGINT, which the terminal also sends to the go command; forward SIGTERM."""
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
        return None, 0  # the go command reports the error
    try:
        used = packages.find_used(session, command, where, names)
    except FunctraceError:
        return None, 0
    summary, touched = packages.count_instrumented(session, used, request.keep)
    summary.notes += session.scope.unmatched(names)
    summary.notes += summary.list_unmatched(request.options.filters)
    return summary, touched


def _counted_light(
    request: Request, session: Session, names: set[str], status: int
) -> tuple[Summary | None, int]:
    summary, touched = light_counts.count(session, request.keep)
    if summary is not None:
        is_complete = status == 0 and not summary.notes
        summary.notes += session.scope.unmatched(names)
        if is_complete:  # a filter may match something in a package that is not counted
            summary.notes += summary.list_unmatched(request.options.filters)
    return summary, touched
