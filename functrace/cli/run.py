"""The verb ``functrace run``: runs an instrumented Python program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from functrace.cli import recording_options, run_program, shared_options
from functrace.cli.configured import ConfiguredCommand
from functrace.pyimport.command_line import is_option


class _Run(ConfiguredCommand):
    """A command whose options end at the first option of Python or at the program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = self._end_of_options(args)
        rest = args[at + 1 :] if args[at : at + 1] == ["--"] else args[at:]
        return super().parse_args(ctx, [*args[:at], *(["--", *rest] if rest else [])])

    def _end_of_options(self, args: list[str]) -> int:
        """Return the index in ``args`` of the first word that is for Python."""
        options = [p for p in self.get_params(click.Context(self)) if isinstance(p, click.Option)]
        names = {n: p for p in options for n in (*p.opts, *p.secondary_opts)}
        at = 0
        while at < len(args):
            word = args[at]
            if word in ("-", "--") or word[:1] != "-":
                break
            own = _own_options(word, names)
            if not own and is_option(word):
                break
            at += 2 if own and _needs_next(word, own) else 1
        return at


def _own_options(word: str, names: Mapping[str, click.Option]) -> list[click.Option]:
    """Return the options in a word, which may be a cluster; none if one is not functrace's."""
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
    """Return whether the last option of a word takes the next word as its value."""
    has_no_value = "=" not in word if word.startswith("--") else len(own) == len(word) - 1
    return has_no_value and not own[-1].is_flag


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
    help="Also instrument this module of other packages, with submodules; repeatable.",
)
@shared_options.std
@click.option(
    "--children", is_flag=True, help="Also instrument Python processes that the program starts."
)
@shared_options.python
@click.option("--record", is_flag=True, help="Record a trace, as functrace record does.")
@click.option("--otlp", is_flag=True, help="Send calls to an OpenTelemetry collector.")
@recording_options.out("Print calls to this file; with --record, as for functrace record.")
@recording_options.limits
@shared_options.quiet
def run(words: tuple[str, ...], **flags: Any) -> None:
    """Run a Python program with its modules instrumented in memory; no source file changes.

    Place functrace's options first; -- ends them. The rest is a command line of python: its
    options, the program and the program's arguments. Input, output, signals and exit status
    are passed through. Calls are printed to standard output, recorded with --record, or
    sent with --otlp.
    """
    run_program.start(words, flags)
