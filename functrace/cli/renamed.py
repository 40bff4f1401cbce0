"""Former spellings of the command line, each refused with an error that names the new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:
    _Choice = click.Choice  # generic only from click 8.2 on

F = TypeVar("F", bound=Callable[..., Any])

# By verb: a former option, or an option with a former value.
RENAMED: dict[str, dict[str, str]] = {
    "go": {"--errors": "--record-errors", "--no-errors": "--no-record-errors"},
    "callers": {"--slow": "--min-duration"},
    "report": {"--sort waiting": "--sort suspended"},
    "replay": {"--to": "--until"},
    "diff": {"--all": "--with-chance"},
    "export": {"--slow": "--min-duration"},
    "inject": {"--errors": "--record-errors"},
    "runtime add": {"--to": "--out"},
}


def refuse_options(verb: str) -> Callable[[F], F]:
    """Return a decorator that makes a command refuse the former options of ``verb``."""

    def decorate(command: F) -> F:
        for option in RENAMED[verb]:
            # Takes a value or none: what the former option took does not matter.
            add = click.option(
                option,
                is_flag=False,
                flag_value="",
                is_eager=True,
                expose_value=False,
                hidden=True,
                callback=_refuser(verb, option),
            )
            command = add(command)
        return command

    return decorate


def _refuser(verb: str, option: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def refuse(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value is not None:
            raise _error(verb, option, ctx)

    return refuse


class Choice(_Choice):
    """The values of an option; a former value is refused."""

    def __init__(self, verb: str, option: str, choices: Sequence[str]) -> None:
        super().__init__(choices)
        self._verb = verb
        self._option = option

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value if it is valid.

        Raises:
            UsageError: the value was renamed.
            BadParameter: the value is invalid.
        """
        spelling = f"{self._option} {value}"
        if spelling in RENAMED[self._verb]:
            raise _error(self._verb, spelling, ctx)
        return super().convert(value, param, ctx)


def _error(verb: str, spelling: str, ctx: click.Context | None) -> click.UsageError:
    return click.UsageError(f"{spelling} was renamed; use {RENAMED[verb][spelling]}", ctx)
