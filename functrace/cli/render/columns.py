"""What reports look like: names in few words, columns that line up, lines that fit."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import PurePath
from typing import TYPE_CHECKING

from functrace.cli.render import terminal
from functrace.errors import FunctraceError
from functrace.escaping import escape
from functrace.globs import short_name

if TYPE_CHECKING:
    from functrace.trace import Trace
    from functrace.trace.facts import Function

_PIPED_WIDTH = 100


def width() -> int:
    """How wide text may be: as the terminal, else what chats and tickets have room for."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPED_WIDTH


class Names:
    """Functions' short names, but where that would make two the same.

    Functions of one name, as several programs have them, bear the place where they are, too.
    """

    def __init__(self, functions: Sequence[Function]) -> None:
        self._full = Counter(function.name for function in functions)
        self._short = Counter(short for _, short in {(f.name, _short(f)) for f in functions})
        self._names = [self._name(function) for function in functions]

    def _name(self, function: Function) -> str:
        short = _short(function)
        name = escape(function.name if self._short[short] > 1 else short)
        same = self._full[function.name] > 1
        return f"{name} ({place(function.file, function.line)})" if same else name

    def __getitem__(self, function: int) -> str:
        """The name of a function, by its index."""
        return self._names[function]


def _short(function: Function) -> str:
    """Without the packages before the last; in Python the file tells which part is the module."""
    short = short_name(function.name).replace(".<locals>", "")
    file = PurePath(function.file)
    if file.suffix != ".py":
        return short
    module = file.parent.name if file.stem == "__init__" else file.stem
    parts = short.split(".")
    return ".".join(parts[parts.index(module) :]) if module in parts else short


def place(file: str, line: int) -> str:
    """A file's last name, escaped, and a line, if that is known."""
    name = escape(PurePath(file).name)
    return f"{name}:{line}" if line else name


def panic(traces: Iterable[Trace]) -> str:
    """What a call is said to end by that does not return."""
    return "exception" if all(trace.language == "python" for trace in traces) else "panic"


def aligned(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Rows whose cells stand at the right of their columns; columns without any text are gone."""
    columns = [column for column in zip(*rows, strict=True) if any(column)]
    widths = [max(map(len, column)) for column in columns]
    padded = [
        [cell.rjust(size) for cell in column] for column, size in zip(columns, widths, strict=True)
    ]
    return [list(row) for row in zip(*padded, strict=True)]


def nothing(asked: str, traces: Sequence[Trace]) -> FunctraceError:
    """That no function is called as asked, and which are called like it."""
    names = sorted({_short(f) for trace in traces for f in trace.functions})
    if not names:
        return FunctraceError("no function was recorded")
    alike = _alike(asked, names)
    hint = f"; there is {', '.join(alike)}" if alike else "; functrace report lists what there is"
    return FunctraceError(f"no function is called {asked}{hint}")


def _alike(asked: str, names: Sequence[str]) -> list[str]:
    lowered = {name.lower(): name for name in names}
    last = {name.rpartition(".")[2]: lowered[name] for name in reversed(lowered)}
    wanted = asked.rpartition("/")[2].strip("*").lower()
    within = [lowered[name] for name in lowered if wanted and wanted in name]
    close = [lowered[name] for name in get_close_matches(wanted, lowered)]
    ends = [last[name] for name in get_close_matches(wanted.rpartition(".")[2], last)]
    return list(dict.fromkeys(within[:3] + close + ends))[:3]


def warn(traces: Iterable[tuple[Trace, Iterable[str]]]) -> None:
    """Say what was odd about the calls of traces, but for what opening them has told."""
    for trace, damage in traces:
        for sentence in damage:
            if sentence not in trace.damage:
                terminal.echo(f"functrace: {trace.path}: {sentence}", err=True, fg="yellow")
