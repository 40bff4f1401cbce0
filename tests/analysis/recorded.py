"""Traces written call by call, as a program would: with the calls that are open, on a clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tracefile import writer as w


def _file(function: str) -> str:
    return function.rpartition("/")[2].partition(".")[0] + ".go"


class Recorded:
    """A trace in the making. Its clock ticks once a nanosecond and starts at 1,000."""

    def __init__(self, *functions: str, **header: int) -> None:
        self._numbers = {name: number for number, name in enumerate(functions, 1)}
        self._header = header
        self._goroutines: list[Goroutine] = []
        self.now = 1000

    def number(self, function: str) -> int:
        return self._numbers[function]

    def goroutine(
        self, number: int, *, parent: int = 0, starter: str = "", line: int = 0
    ) -> Goroutine:
        begun = Goroutine(self, number)
        known = self._numbers.get(starter, 0)
        begun.words.append(w.track(number, self.now, parent=parent, starter=known, line=line))
        self._goroutines.append(begun)
        return begun

    def write(self, path: Path) -> Path:
        functions = [
            w.function(self._numbers[name], name, _file(name), line)
            for line, name in enumerate(sorted(self._numbers), 10)
        ]
        chunks = [
            w.events(sequence, *goroutine.words, track=goroutine.number)
            for sequence, goroutine in enumerate(self._goroutines, 2)
        ]
        process = w.process('{"argv": ["./shop", "-v"], "host": "web1", "tool": "0.1.0"}')
        content = w.header(**self._header) + w.facts(1, process, *functions) + b"".join(chunks)
        path.write_bytes(content)
        return path


class Goroutine:
    """A goroutine in the making; a call takes a microsecond, or what it is said to take."""

    def __init__(self, program: Recorded, number: int) -> None:
        self._program = program
        self.number = number
        self.words: list[bytes] = []

    @contextmanager
    def inside(self, function: str) -> Iterator[None]:
        self.enter(function)
        yield
        self.leave(function)

    def enter(self, function: str) -> None:
        self.words.append(w.enter(self._program.number(function), self._program.now - 1000))

    def leave(self, function: str) -> None:
        self.words.append(w.leave(self._program.number(function), self._program.now - 1000))

    def fail(self, error: str) -> None:
        """The next exit is with this error."""
        self.words.append(w.error(error))

    def call(
        self, function: str, *, took: int = 1000, error: str = "", panic: str = "", times: int = 1
    ) -> None:
        for _ in range(times):
            with self.inside(function):
                self._program.now += took
                if error:
                    self.fail(error)
                if panic:
                    self.words.append(w.panic(panic))
