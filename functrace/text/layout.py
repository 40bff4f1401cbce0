"""Common formatting of reports: short names, aligned columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from functrace.globs import glob_of, short_name
from functrace.runtime.escaping import escape

if TYPE_CHECKING:
    from functrace.tracefile import Trace
    from functrace.tracefile.facts import Function


class Names:
    """Short names of functions, or full names where two short names would be equal.

    Functions with equal full names, as in traces of several programs, also get file and line. A
    request has its full name.

    Args:
        functions: the functions.
        services: the service of each function, if chains are followed across processes. Their names
            are shown beside those of services, so equal names in different services stay.
    """

    def __init__(self, functions: Sequence[Function], services: Sequence[str] = ()) -> None:
        of = services or [""] * len(functions)
        pairs = zip(of, functions, strict=True)
        self._full = Counter((service, function.name) for service, function in pairs)
        self._short = Counter(
            short for _, short in {(f.name, unqualified_name(f)) for f in functions}
        )
        self._functions = functions
        self._names = list(map(self._name, of, functions))

    def _plain(self, function: Function) -> str:
        short = unqualified_name(function)
        return function.name if self._short[short] > 1 else short

    def _name(self, service: str, function: Function) -> str:
        name = escape(self._plain(function))
        same = self._full[service, function.name] > 1 and not function.direction
        return f"{name} ({place(function.file, function.line)})" if same else name

    def __getitem__(self, function: int) -> str:
        """Return the name of the function with this index."""
        return self._names[function]

    def glob(self, function: int) -> str:
        """Return an argument that selects the function with this index."""
        found = self._functions[function]
        return found.name if found.direction else glob_of(self._plain(found))


def unqualified_name(function: Function) -> str:
    """Return the name without outer packages; in Python, the file name identifies the module."""
    if function.direction:
        return function.name
    short = short_name(function.name).replace(".<locals>", "")
    file = PurePath(function.file)
    if file.suffix != ".py":
        return short
    module = file.parent.name if file.stem == "__init__" else file.stem
    parts = short.split(".")
    return ".".join(parts[parts.index(module) :]) if module in parts else short


def place(file: str, line: int) -> str:
    """Return a file's base name, escaped, with the line number if it is known."""
    name = escape(PurePath(file).name)
    return f"{name}:{line}" if line else name


def panic_noun(traces: Iterable[Trace]) -> str:
    """Return what ends a call abnormally: ``exception`` in Python, else ``panic``."""
    return "exception" if all(trace.language == "python" for trace in traces) else "panic"


def align(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Right-align the cells of each column; leave out empty columns."""
    columns = [column for column in zip(*rows, strict=True) if any(column)]
    widths = [max(map(len, column)) for column in columns]
    padded = [
        [cell.rjust(size) for cell in column] for column, size in zip(columns, widths, strict=True)
    ]
    return [list(row) for row in zip(*padded, strict=True)]
