"""Runs every verb and every export over mutated traces: make fuzz-traces SECONDS=60 SEED=1

Each command ends with status 0 or 1 and without a traceback or a warning, in bounded time and
memory. It prints no negative number and nothing that a terminal acts on.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from functrace.cli.main import main
from functrace.export import FORMATS
from tests.cli import hostile, mall
from tests.tracefile.fuzz import mutate, mutated

KEPT: Path | None = Path("build/fuzz-traces.ftrace")
"""where the trace of a fault is kept"""
_TIMEOUT_S = 60
_MEMORY_BYTES = 4 << 30  # of addresses: libraries need most of it
_HEADER_BYTES = 96
_EXTREMES = (0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)
_NEGATIVE = re.compile(r"(?<![\w.\-\]/])-\d")
_VERBS: list[list[str]] = [
    ["triage", "--limit", "0"],
    ["triage", "--json"],
    ["report"],
    ["report", "--json"],
    ["report", "--sort", "p99", "--limit", "2"],
    ["callers", "*"],
    ["callers", "*", "--full", "--errors"],
    ["callers", "*", "--min-duration", "1ns"],
    ["callers", "*", "--json"],
    ["graph", "*"],
    ["graph", "*", "--json"],
    ["replay"],
    ["replay", "--tree"],
    ["replay", "--merge"],
    ["replay", "--errors"],
    ["replay", "--around", "*", "--context", "2"],
    ["replay", "--from", "20ns", "--until", "1s", "--json"],
    ["services"],
    ["services", "--json"],
    ["services", "--to", "dot"],
    ["services", "--to", "svg"],
    ["replay", "--request", "payments:1"],
    ["replay", "--request", f"{1:032x}", "--json"],
    ["info"],
    ["info", "--json"],
    ["diff", "--with-chance", "--limit", "0"],
    ["diff", "--json"],
]
_EXPORTS = [
    ["export", "--to", name]
    for name, wanted in FORMATS.items()
    if wanted.suffix and (name != "svg" or shutil.which("dot"))
]


class FaultError(Exception):
    """A command that did what none may do."""


def fuzz(seed: int, *, rounds: int | None = None, seconds: float = 0, commands: int = 4) -> int:
    """Run commands over mutated traces and return how many were run.

    Args:
        seed: what the traces and commands are derived from.
        rounds: how many traces; without it, as many as ``seconds`` allow.
        seconds: when no other trace is begun.
        commands: how many commands are run over each trace.
    """
    chance = random.Random(seed)
    end = time.monotonic() + seconds
    run = 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as services:
        others = [path.read_bytes() for path in sorted(mall.write(Path(services)).iterdir())]
        while run < rounds * commands if rounds is not None else time.monotonic() < end:
            content, around = _mutated(chance), [hostile.trace()]
            if chance.random() < 0.2:
                content, around = _mutated_service(chance, others)
            for words in chance.sample([*_VERBS, *_EXPORTS], commands):
                several = around if len(around) > 1 or chance.random() < 0.3 else []
                _check(words, content, Path(folder), several or around[: words[0] == "diff"])
                run += 1
    return run


def _mutated(chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        content = bytearray(hostile.trace(language=chance.choice([1, 2, 3])))
        mutate(chance, content)
    else:
        content = bytearray(mutated(chance))
    if chance.random() < 0.3:
        size = chance.choice([4, 8])
        at = chance.randrange(2, _HEADER_BYTES // size) * size
        value = chance.choice([*_EXTREMES, chance.getrandbits(8 * size)])
        content[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
    return bytes(content)


def _mutated_service(chance: random.Random, services: list[bytes]) -> tuple[bytes, list[bytes]]:
    """Return the mutated trace of one of several services, and the traces of the others."""
    place = chance.randrange(len(services))
    content = bytearray(services[place])
    mutate(chance, content)
    return bytes(content), services[:place] + services[place + 1 :]


def _check(words: list[str], content: bytes, folder: Path, around: list[bytes]) -> None:
    trace = folder / "fuzz.ftrace"
    trace.write_bytes(content)
    arguments = [*words, str(trace)]
    for number, each in enumerate(around[:1] if words[0] == "diff" else around):
        other = folder / f"other{number}.ftrace"
        other.write_bytes(each)
        arguments.append(str(other))
    out = folder / "out"
    is_folder = words[0] == "export" and FORMATS[words[-1]].folder
    try:
        shown = _run([*arguments, "-o", str(out)] if is_folder else arguments)
        is_binary = words[0] == "export" and FORMATS[words[-1]].binary
        _judge(words, *(shown if not is_binary else (b"", shown[1])))
    except BaseException as error:
        if KEPT is not None:
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_bytes(content)
        raise FaultError(f"functrace {' '.join(words)} {KEPT}: {error!r}") from error
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _run(words: list[str]) -> tuple[bytes, str]:
    """Return what a command prints to standard output and error."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    status: Any = None
    with (
        _limited(),
        mock.patch("sys.argv", ["functrace", *words]),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code
    out, err = (stream.buffer.getvalue() for stream in streams)  # type: ignore[attr-defined]
    if status not in (0, 1):
        raise FaultError(f"exit status {status}: {err.decode()}")
    if status and not err:
        raise FaultError("failed without a message")
    return out, err.decode()


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Raise what hangs, and each warning, which would reach the user."""

    def give_up(*_: Any) -> None:
        raise FaultError(f"still running after {_TIMEOUT_S} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_TIMEOUT_S)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _judge(words: list[str], out: bytes, err: str) -> None:
    text = out.decode()  # UTF-8, whatever is in the trace
    is_text = words[0] != "export" and "--json" not in words
    harm = hostile.harm(f"{err}{text}" if is_text or words[-1] == "folded" else err)
    if harm:
        raise FaultError(f"acts on a terminal: {harm}")
    if is_text and words[0] != "diff" and _NEGATIVE.search(text):
        raise FaultError(f"a negative number: {_NEGATIVE.search(text)}")
    if not is_text and text:
        _judge_values(words, text)


def _judge_values(words: list[str], text: str) -> None:
    """Parse the formats that are JSON; ``diff`` alone has differences, which may be negative."""
    name = words[-1] if words[0] == "export" else words[0]
    if name in ("dot", "svg", "flamegraph", "folded"):
        return
    is_lines = name in ("jsonl", "replay")
    for each in text.removesuffix("\n").split("\n") if is_lines else [text]:
        value = json.loads(each) if each else None
        negative = [path for path, number in _numbers(value) if number < 0]
        if negative and name in ("report", "callers", "graph", "info", "replay", "jsonl", "json"):
            raise FaultError(f"negative: {negative}")


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield each number that functrace itself has computed, with where it is."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in ("process_facts", "exit_status"):
                yield from _numbers(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    seconds, seed = float(sys.argv[1]), int(sys.argv[2])
    sys.stdout.write(f"{fuzz(seed, seconds=seconds):,} commands, seed {seed}\n")
