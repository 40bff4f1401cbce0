"""functrace run: a Python program, traced."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from functrace.cli import options
from functrace.errors import UsageError
from functrace.hook import interpreter, launch
from functrace.hook.config import Config

# Programs whose standard output is read, or is that of the tests they run.
_TESTS = ("pytest", "unittest", "py.test", "nose2")


class _Run(click.Command):
    """Python's own ``-m`` and ``-c`` end the options, as a file does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = self._program(args)
        return super().parse_args(ctx, [*args[:at], "--", *args[at:]] if at < len(args) else args)

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
    to standard output, or recorded with --record.
    """
    config = _config(flags)
    python = interpreter.choose(flags["python"], os.environ)
    command = launch.command(config, python, words)
    if flags["record"]:
        _record(words, command, launch.variables(config), flags)
    given = {**_variables(flags, words), **launch.variables(config)}
    os.execve(python, command, {**os.environ, **given})


def _config(flags: dict[str, Any]) -> Config:
    lists = {n: tuple(flags[n]) for n in ("include", "exclude", "compiled", "deps")}
    if any("\n" in word for words in lists.values() for word in words):
        raise UsageError("a pattern has no line breaks")
    names = ("min_lines", "exported_only", "skip_generated", "lambdas", "std", "quiet", "children")
    return Config(**lists, **{name: int(flags[name]) for name in names})


def _variables(flags: dict[str, Any], words: tuple[str, ...]) -> dict[str, str]:
    """What the runtime is to find in its environment, where that does not say something else."""
    if flags["overwrite"]:
        raise UsageError("--overwrite is for --record")
    given = {}
    if any(_limits(flags).values()):
        from functrace.cli.record import limiting

        given = limiting(_limits(flags))
    if "FUNCTRACE" not in os.environ:
        given["FUNCTRACE"] = "text"
    mode = os.environ.get("FUNCTRACE", "text")
    if flags["out"]:
        given["FUNCTRACE_OUT"] = flags["out"]
    elif mode == "text" and "FUNCTRACE_OUT" not in os.environ and _is_test(words):
        import tempfile

        folder = tempfile.mkdtemp(prefix="functrace-test-")
        given["FUNCTRACE_OUT"] = f"{folder.replace('%', '%%')}/%p.txt"
        if not flags["quiet"]:
            click.echo(f"functrace run: call chains: {folder}", err=True)
    return given


def _limits(flags: dict[str, Any]) -> dict[str, Any]:
    """What the runtime is to obey; the filters have done their work when it is instrumented."""
    return {name: flags[name] for name in ("max_size", "overwrite", "min_duration", "depth")}


def _is_test(words: tuple[str, ...]) -> bool:
    return len(words) > 1 and words[0] == "-m" and words[1] in _TESTS


def _record(
    words: tuple[str, ...], command: list[str], hook: dict[str, str], flags: dict[str, Any]
) -> NoReturn:
    """Run it as a process of ours, for a word about its trace, and end as it has ended."""
    from functrace.cli.record import keep, variables

    named = [word for word in words[:2] if word not in ("-m", "-c", "-")]
    program = Path(named[0]).name if named and words[0] != "-c" else "python"
    advice = "no function of it was instrumented, or none was called"
    given = {**variables(_limits(flags)), **hook}
    done = keep(command, program, flags["out"], given, advice, quiet=flags["quiet"])
    if done.signal:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core file is enough
        if done.signal not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(done.signal, signal.SIG_DFL)
        os.kill(os.getpid(), done.signal)
    sys.exit(done.status)
