"""functrace export --to otlp: spans to a collector."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from functrace import units
from functrace.cli import trace_arguments
from functrace.cli.render import progress, terminal
from functrace.errors import FunctraceError, UsageError

if TYPE_CHECKING:
    from functrace.export.otlp import Delivery, Options
    from functrace.trace import Trace

F = TypeVar("F", bound=Callable[..., Any])

# An OpenTelemetry trace of more spans is hard to look at, and refused by some backends.
_LARGE = 10_000

_OPTIONS = (
    click.option(
        "--endpoint",
        metavar="URL",
        help="otlp: the collector, if not as OTEL_EXPORTER_OTLP_ENDPOINT says.",
    ),
    click.option(
        "--protocol",
        type=click.Choice(("http/protobuf", "grpc")),
        help="otlp: if not as OTEL_EXPORTER_OTLP_PROTOCOL says.",
    ),
    click.option(
        "--root",
        multiple=True,
        metavar="FUNC",
        help="otlp: calls of FUNC begin an OpenTelemetry trace each; nothing else is sent.",
    ),
    click.option(
        "--sample", metavar="SHARE", help="otlp: only 1% or 0.01 of OpenTelemetry traces."
    ),
    click.option("--errors", is_flag=True, help="otlp: only calls that failed, with those above."),
    click.option(
        "--slow", metavar="TIME", help="otlp: only calls that took so long, with those above."
    ),
    click.option("--resume", metavar="WORD", help="otlp: go on where a stopped export has told."),
)


def options(command: F) -> F:
    """The options of what is sent."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def send(paths: tuple[str, ...], given: dict[str, Any]) -> None:
    """Send what the options ask for, and tell what became of it.

    Raises:
        FunctraceError: not all of it was taken, or there is nothing.
    """
    from functrace.export import otlp

    opened = trace_arguments.open_all(paths)
    wanted = _wanted(opened, given)
    transport = otlp.connect(given.get("endpoint"), given.get("protocol"))
    delivery = otlp.Delivery()
    total = None if wanted.chosen or wanted.roots else sum(t.events for t in opened) // 2
    try:
        with progress.counted("sending spans", total) as tell:
            otlp.export(
                opened,
                transport,
                wanted,
                delivery=delivery,
                resume=given.get("resume"),
                tell=tell,
            )
    except otlp.StoppedError as error:
        stopped = otlp.redact(str(error))
        raise FunctraceError(stopped, *_how_on(opened, wanted, delivery)) from None
    except KeyboardInterrupt:
        for line in ("", *_how_on(opened, wanted, delivery)):
            terminal.echo(line, err=True)
        raise
    finally:
        transport.close()
    _conclude(transport.where, delivery)


def _wanted(opened: Sequence[Trace], given: dict[str, Any]) -> Options:
    from functrace.export.otlp import Options

    roots = given.get("root")
    if roots and not any(_named(trace, roots) for trace in opened):
        raise FunctraceError(f"no function is called {' or '.join(roots)}")
    return Options(
        roots=(lambda trace: _named(trace, roots)) if roots else None,
        rate=_share(given["sample"]) if "sample" in given else 1.0,
        errors=bool(given.get("errors")),
        slow=units.parse_duration(given["slow"]) if "slow" in given else None,
    )


def _named(trace: Trace, globs: Collection[str]) -> set[int]:
    return set().union(*(trace_arguments.named(trace, glob) for glob in globs))


def _share(text: str) -> float:
    try:
        return units.parse_share(text)
    except UsageError as error:
        raise UsageError(f"--sample {error}") from None


def _how_on(opened: Sequence[Trace], wanted: Options, delivery: Delivery) -> list[str]:
    """Return the lines that say what to run when the collector is back."""
    from functrace.export.otlp import redact, word

    if not delivery.done:
        return ["  nothing was sent"]
    arguments = [redact(argument) for argument in _without_resume(sys.argv[1:])]
    command = shlex.join(["functrace", *arguments, "--resume", word(opened, wanted, delivery.done)])
    done = units.several(delivery.done, "span")
    return [f"  {done} done; to go on with the rest:", f"  {command}"]


def _without_resume(arguments: Sequence[str]) -> list[str]:
    kept = []
    words = iter(arguments)
    for word in words:
        if word == "--resume":
            next(words, None)
        elif not word.startswith("--resume="):
            kept.append(word)
    return kept


def _conclude(where: str, delivery: Delivery) -> None:
    from functrace.export.otlp import redact

    summary = f"functrace export: {units.several(delivery.sent, 'span')} sent to {redact(where)}"
    summary += f", {units.count(delivery.refused)} refused"
    terminal.echo(summary, err=True, bold=True)
    if delivery.largest > _LARGE:
        size = units.count(delivery.largest)
        note = f"an OpenTelemetry trace of {size} spans; --root, --errors, --slow make smaller ones"
        terminal.echo(f"  note: {note}", err=True, fg="yellow")
    if delivery.refused:
        reason = redact(delivery.reason) or "no reason given"
        raise FunctraceError(f"the collector refused spans: {reason}")
    if not delivery.done:
        raise FunctraceError("no call is as the options want it")
