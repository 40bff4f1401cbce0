"""functrace run: a Python program, traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from functrace.cli import run_program, shared_options
from functrace.pyimport.command_line import is_option


class _Run(click.Command):
    """A command whose own options end where Python's begin, or the program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = self._end_of_options(args)
        rest = args[at + 1 :] if args[at : at + 1] == ["--"] else args[at:]
        return super().parse_args(ctx, [*args[:at], *(["--", *rest] if rest else [])])

    def _end_of_options(self, args: list[str]) -> int:
        """Return the index in ``args`` of the first word that is Python's."""
        options = [p for p in self.get_params(click.Context(self)) if isinstance(p, click.Option)]
        names = {n: p for p in options for n in (*p.opts, *p.secondary_opts)}
        at = 0
        while at < len(args):
            word = args[at]
            if word in ("-", "--") or word[:1] != "-":
                break
            own = _own(word, names)
            if not own and is_option(word):
                break
            at += 2 if own and _needs_next(word, own) else 1
        return at


def _own(word: str, names: Mapping[str, click.Option]) -> list[click.Option]:
    """Return the options of functrace that a word is, maybe a cluster; none if one is not."""
    if word.startswith("--"):
        return [names[name] for name in [word.partition("=")[0]] if name in names]
    found: list[click.Option] = []
    for letter in word[1:]:
        option = names.get(f"-{letter}")
        if option is None:
            return []
        found.append(option)
        if not option.is_flag:
            break
    return found


def _needs_next(word: str, own: list[click.Option]) -> bool:
    """Whether the value of the last of a word's options is the next word."""
    is_whole = "=" not in word if word.startswith("--") else len(own) == len(word) - 1
    return is_whole and not own[-1].is_flag


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
    metavar="[PYTHON'S OPTIONS] FILE|-m MODULE|-c CODE|- [ARGS...]",
)
@shared_options.filters
@shared_options.lambdas
@shared_options.compiled
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

    The options of functrace come first. What follows them, or --, is what python
    itself takes: its own options, the program and its arguments. Input, output, signals
    and exit status are the program's own. Calls are printed to standard output,
    recorded with --record, or sent with --otlp.
    """
    run_program.start(words, flags)
