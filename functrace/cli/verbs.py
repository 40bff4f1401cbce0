"""The verbs of the command line and their help."""

from __future__ import annotations

import importlib
from difflib import get_close_matches

import click

from functrace import __version__
from functrace.cli import shared_options
from functrace.cli.render import terminal

# By task, in the order in which a newcomer meets them. Modules are imported when used: a verb must
# not wait for the imports of another.
GROUPS = {
    "Run and record": {
        "go": "functrace.cli.go:go",
        "run": "functrace.cli.run:run",
        "record": "functrace.cli.record:record",
        "watch": "functrace.cli.watch:watch",
        "dump": "functrace.cli.dump:dump",
        "on": "functrace.cli.switch:on",
        "off": "functrace.cli.switch:off",
    },
    "Read a trace": {
        "triage": "functrace.cli.triage:triage",
        "view": "functrace.cli.view:view",
        "callers": "functrace.cli.callers:callers",
        "report": "functrace.cli.report:report",
        "graph": "functrace.cli.graph:graph",
        "services": "functrace.cli.services:services",
        "replay": "functrace.cli.replay:replay",
        "diff": "functrace.cli.diff:diff",
        "info": "functrace.cli.info:info",
    },
    "Export": {
        "export": "functrace.cli.export:export",
    },
    "Keep figures of many processes": {
        "rollup": "functrace.cli.rollup:rollup",
        "store": "functrace.cli.store:store",
    },
    "Instrument sources": {
        "inject": "functrace.cli.inject:inject",
        "strip": "functrace.cli.strip:strip",
        "runtime": "functrace.cli.runtime:runtime",
    },
    "Set up": {
        "hook": "functrace.cli.hook:hook",
        "doctor": "functrace.cli.doctor:doctor",
        "completion": "functrace.cli.completion:completion",
    },
}
_VERBS = {verb: place for group in GROUPS.values() for verb, place in group.items()}


class _Verbs(click.Group):
    """The verbs, grouped by task in the help."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module, _, name = _VERBS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _VERBS))
        limit = formatter.width - width - 6
        for title, group in GROUPS.items():
            commands = ((verb, self.get_command(ctx, verb)) for verb in group)
            rows = [
                (verb.ljust(width), command.get_short_help_str(limit))
                for verb, command in commands
                if command is not None
            ]
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _VERBS and args[0][:1] != "-" and not ctx.resilient_parsing:
            raise click.UsageError(_unknown(args), ctx)
        return super().resolve_command(ctx, args)


def _unknown(args: list[str]) -> str:
    """Return the message for an unknown verb, with a suggestion."""
    from functrace.cli.suggestions import suggest_run

    alike = get_close_matches(args[0], _VERBS, n=1)
    suggestion = alike[0] if alike else suggest_run(args)
    return f"no such verb: {args[0]}" + (f"; did you mean {suggestion}?" if suggestion else "")


@click.group(
    cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@shared_options.color
def functrace() -> None:
    """Show the call chains of Go and Python programs.

    \b
    Without changing a source file:
      functrace go run .               print the call chains of a Go program
      functrace go test ./...          write those of its tests to files
      functrace run app.py             print the call chains of a Python program

    \b
    In the sources:
      functrace runtime add            add the Go runtime to a module, once
      functrace inject -w ./...        insert trace calls into the sources
      go run -tags trace .             print the call chains
      functrace strip -w ./...         remove all of it and restore every byte
    """


def run() -> int:
    """Run the verb that the command line names, and return the exit status.

    Raises:
        KeyboardInterrupt: the user interrupted the verb.
    """
    try:
        status = functrace.main(prog_name="functrace", standalone_mode=False)
    except click.ClickException as error:
        terminal.usage_error(error)
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    return status if isinstance(status, int) else 0
