"""functrace run: a Python program, traced."""

from __future__ import annotations

from typing import Any

import click

from functrace.cli import options, running


class _Run(click.Command):
    """Python's own ``-m`` and ``-c`` end the options, as a file does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = self._program(args)
        program = args[at + 1 :] if args[at : at + 1] == ["--"] else args[at:]
        return super().parse_args(ctx, [*args[:at], *(["--", *program] if program else [])])

    def _program(self, args: list[str]) -> int:
        """Where in ``args`` the program begins."""
        takes_value = {
            name
            for parameter in self.params
            if isinstance(parameter, click.Option) and not parameter.is_flag
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        at = 0
        while at < len(args):
            word = args[at]
            is_option = len(word) > 1 and word.startswith("-")
            if word == "--" or not is_option or word[:2] in ("-m", "-c"):
                break
            at += 2 if word in takes_value else 1
        return at


@click.command(
    cls=_Run,
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
)
@click.argument(
    "words",
    nargs=-1,
    required=True,
    type=click.UNPROCESSED,
    metavar="FILE|-m MODULE|-c CODE|- [ARGS...]",
)
@options.filters
@options.lambdas
@options.compiled
@click.option(
    "--deps",
    multiple=True,
    metavar="MODULE",
    help="Modules that are not yours, too, with all below them; repeatable.",
)
@click.option("--std", is_flag=True, help="The standard library, too.")
@click.option("--children", is_flag=True, help="Python processes that it starts, too.")
@click.option(
    "--python", metavar="PATH", help="The interpreter to run; by default your environment's."
)
@click.option("--record", is_flag=True, help="Keep a trace, as functrace record does.")
@click.option("--otlp", is_flag=True, help="Send calls to an OpenTelemetry collector meanwhile.")
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    metavar="PATH",
    help="The file that calls are printed to; with --record, as for functrace record.",
)
@click.option("--max-size", metavar="SIZE", help="Bytes that a file may have: 500M, 2G.")
@click.option(
    "--overwrite", is_flag=True, help="When a trace is full, go on over the oldest calls."
)
@click.option("--min-duration", metavar="TIME", help="Record calls that take so long, such as 5us.")
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Only N levels of calls.")
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
def run(words: tuple[str, ...], **flags: Any) -> None:
    """Run a Python program with its modules instrumented in memory; no file is touched.

    FILE and what follows is as python itself takes it, and so are input, output,
    signals and exit status. Options of functrace stand before it. Calls are printed
    to standard output, recorded with --record, or sent with --otlp.
    """
    running.start(words, flags)
