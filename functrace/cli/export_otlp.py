"""``functrace export`` to otlp and zipkin: options and messages for sending spans."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from functrace import units
from functrace.cli import reading_options, trace_arguments
from functrace.cli.render import progress, terminal
from functrace.errors import FunctraceError, UsageError

if TYPE_CHECKING:
    from functrace.export.otlp import Delivery, Options
    from functrace.export.otlp.transport import Transport
    from functrace.tracefile import Trace

F = TypeVar("F", bound=Callable[..., Any])

# A larger OpenTelemetry trace is hard to view, and some backends refuse it.
_LARGE_TRACE_SPANS = 10_000

_OPTIONS = (
    click.option(
        "--endpoint",
        metavar="URL",
        help="otlp, zipkin: send to this collector or server.  "
        "[default: otlp: OTEL_EXPORTER_OTLP_ENDPOINT; zipkin: write to -o]",
    ),
    click.option(
        "--protocol",
        type=click.Choice(("http/protobuf", "grpc")),
        help="otlp: use this protocol.  [default: OTEL_EXPORTER_OTLP_PROTOCOL]",
    ),
    click.option(
        "--root",
        multiple=True,
        metavar="FUNC",
        help="otlp, zipkin: send only calls of FUNC with their callees, each as one trace.",
    ),
    click.option(
        "--sample",
        metavar="SHARE",
        help="otlp, zipkin: send only this share of the traces: 1% or 0.01.",
    ),
    reading_options.errors("otlp, zipkin: send only failed calls and their callers."),
    reading_options.min_duration(
        "otlp, zipkin: send only calls that took TIME or longer, and their callers; with --errors, "
        "also failed calls."
    ),
    click.option(
        "--resume",
        metavar="WORD",
        help="otlp, zipkin: resume an interrupted export; its last message has the command to run.",
    ),
)


def options(command: F) -> F:
    """Add the options of ``--to otlp`` and ``--to zipkin`` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def send(paths: tuple[str, ...], to: str, given: dict[str, Any]) -> None:
    """Send the calls that the options select, and print a summary.

    Raises:
        FunctraceError: the collector did not accept every span, or no call is selected.
    """
    from functrace.export import otlp

    opened = trace_arguments.open_all(paths)
    selection = parse_options(opened, given)
    transport, encode = _connect(to, given)
    delivery = otlp.Delivery()
    total = (
        None if selection.selects_calls or selection.roots else sum(t.events for t in opened) // 2
    )
    try:
        with progress.counter("sending spans", total) as update:
            otlp.export(
                opened,
                transport,
                selection,
                delivery=delivery,
                resume=given.get("resume"),
                on_progress=update,
                **encode,
            )
    except otlp.StoppedError as error:
        stopped = otlp.redact(str(error))
        raise FunctraceError(stopped, *_resume_lines(opened, selection, delivery)) from None
    except KeyboardInterrupt:
        for line in ("", *_resume_lines(opened, selection, delivery)):
            terminal.echo(line, err=True)
        raise
    finally:
        transport.close()
    _print_summary(transport.address, delivery)


def _connect(to: str, given: dict[str, Any]) -> tuple[Transport, dict[str, Any]]:
    """Return the connection, and the argument of otlp.export() for its messages."""
    from functrace.export import otlp, zipkin

    if to == "zipkin":
        return zipkin.connect(given["endpoint"]), {"encode": zipkin.build_batches}
    return otlp.connect(given.get("endpoint"), given.get("protocol")), {}


def parse_options(opened: Sequence[Trace], given: dict[str, Any]) -> Options:
    """Return the selection of calls for options of the command line."""
    from functrace.export.otlp import Options

    roots = given.get("root")
    if roots and not any(_find_functions(trace, roots) for trace in opened):
        raise FunctraceError(f"no function matches --root {' or '.join(roots)}")
    return Options(
        roots=(lambda trace: _find_functions(trace, roots)) if roots else None,
        rate=_parse_share(given["sample"]) if "sample" in given else 1.0,
        errors=bool(given.get("errors")),
        min_duration_ns=units.parse_duration(given["min_duration"])
        if "min_duration" in given
        else None,
    )


def _find_functions(trace: Trace, globs: Collection[str]) -> set[int]:
    from functrace.analysis.function_filter import matching_functions

    return matching_functions(trace, globs, "--root")


def _parse_share(text: str) -> float:
    try:
        return units.parse_share(text)
    except UsageError as error:
        raise UsageError(f"--sample {error}") from None


def _resume_lines(opened: Sequence[Trace], selection: Options, delivery: Delivery) -> list[str]:
    """Return the lines with the command that resumes the export."""
    from functrace.export.otlp import redact, resume_token

    if not delivery.done:
        return ["  nothing was sent"]
    arguments = [redact(argument) for argument in _remove_resume_option(sys.argv[1:])]
    command = shlex.join(
        ["functrace", *arguments, "--resume", resume_token(opened, selection, delivery.done)]
    )
    done = units.several(delivery.done, "span")
    return [f"  {done} done; to resume the export, run:", f"  {command}"]


def _remove_resume_option(arguments: Sequence[str]) -> list[str]:
    remaining = []
    words = iter(arguments)
    for word in words:
        if word == "--resume":
            next(words, None)
        elif not word.startswith("--resume="):
            remaining.append(word)
    return remaining


def _print_summary(where: str, delivery: Delivery) -> None:
    from functrace.export.otlp import redact

    summary = f"functrace export: {units.several(delivery.sent, 'span')} sent to {redact(where)}"
    summary += f", {units.count(delivery.refused)} refused"
    terminal.echo(summary, err=True, bold=True)
    if delivery.largest > _LARGE_TRACE_SPANS:
        size = units.count(delivery.largest)
        advice = "use --root, --errors or --min-duration to make it smaller"
        note = f"the largest OpenTelemetry trace has {size} spans; {advice}"
        terminal.echo(f"  note: {note}", err=True, fg="yellow")
    if delivery.refused:
        reason = redact(delivery.reason) or "no reason given"
        raise FunctraceError(f"the collector refused spans: {reason}")
    if not delivery.done:
        raise FunctraceError("no calls match the given filters")
