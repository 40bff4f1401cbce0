"""Options: one meaning on all verbs, and former spellings that are refused."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import click
import pytest

from functrace.cli import renamed, verbs
from tests.cli.conftest import Run

# What may differ between the verbs that have an option, and why.
DIFFERENCES = {
    "--closures": ({"default", "help"}, "only `go` works on copies that nobody has to read"),
    "--depth": ({"help"}, "limits what is recorded or shown; `graph` counts from FUNC"),
    "--deps": ({"metavar", "help"}, "Go has import paths, Python has modules"),
    "--errors": ({"help"}, "shows chains or calls, or sends spans"),
    "--exclude": ({"help"}, "selects what is instrumented, recorded or shown"),
    "--from": ({"help"}, "`view` takes it with `--save` only"),
    "--include": ({"help"}, "selects what is instrumented, recorded or shown"),
    "--limit": ({"help"}, "the default depends on the length of an entry"),
    "--min-duration": ({"help"}, "selects what is recorded, shown or sent"),
    "--otlp": ({"help"}, "`run` sends; `go` and `runtime add` build in what sends"),
    "--out": ({"type", "metavar", "help"}, "a file, a folder, or either, as the verb's result is"),
    "--record-errors": ({"default", "help"}, "only `go` works on copies that nobody has to read"),
    **dict.fromkeys(
        ("--service", "--release", "--instance"),
        ({"metavar", "help", "default", "repeatable"}, "`rollup` sets what other verbs select by"),
    ),
    "--until": ({"help"}, "calls of a trace, or windows of a store"),
    "--to": ({"type"}, "a picture of services has other formats than calls"),
    "--sort": ({"type", "default", "help"}, "chains and functions have different columns"),
}


def _commands(
    command: click.Command = verbs.functrace, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is no group, with its name."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from _commands(child, (*path, name))


def _spec(option: click.Option) -> dict[str, Any]:
    info = option.to_info_dict()
    return {
        "names": (*option.opts, *option.secondary_opts),
        "type": info["type"],
        "default": option.get_default(click.Context(verbs.functrace), call=False),
        "metavar": option.metavar,
        "help": option.help,
        "repeatable": option.multiple,
    }


def _options() -> dict[str, dict[str, dict[str, Any]]]:
    """Return, by option and verb, what defines the option."""
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for verb, command in _commands():
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                found[option.opts[-1]][verb] = _spec(option)
    return found


OPTIONS = _options()


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_is_the_same_on_all_verbs(name: str) -> None:
    specs = OPTIONS[name].values()
    different = {
        key
        for one, other in itertools.combinations(specs, 2)
        for key in one
        if one[key] != other[key]
    }
    assert different == (DIFFERENCES[name][0] if name in DIFFERENCES else set())


def test_differences_are_of_options() -> None:
    assert DIFFERENCES.keys() <= OPTIONS.keys()


def test_a_short_option_is_one_option() -> None:
    owners = defaultdict(set)
    for name, specs in OPTIONS.items():
        for spec in specs.values():
            for short in spec["names"][:-1]:
                owners[short].add(name)
    assert [short for short, names in owners.items() if len(names) > 1 and short[1] != "-"] == []


FORMER = [
    (verb, old, new)
    for verb, spellings in renamed.RENAMED.items()
    for old, new in spellings.items()
]


@pytest.mark.parametrize(("verb", "old", "new"), FORMER)
@pytest.mark.parametrize("value", [[], ["5ms"]], ids=["alone", "value"])
def test_a_former_spelling_names_the_new_one(
    functrace: Run, verb: str, old: str, new: str, value: list[str]
) -> None:
    done = functrace(*verb.split(), *old.split(), *value, "x")
    assert done.returncode == 2
    assert done.stderr.endswith(f"Error: {old} was renamed; use {new}\n")


@pytest.mark.parametrize(("verb", "old", "new"), FORMER)
def test_new_spellings_exist(verb: str, old: str, new: str) -> None:
    command = dict(_commands())[verb]
    names = {n for p in command.params for n in (*p.opts, *p.secondary_opts) if not _is_hidden(p)}
    assert new.split()[0] in names
    assert old not in names


def _is_hidden(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and parameter.hidden
