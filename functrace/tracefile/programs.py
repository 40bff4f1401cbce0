"""Names of the program and of the service that a recorded process runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Protocol

from functrace.tracefile.facts import encodable

_MAX_LENGTH = 200
_PROCESS_KEY = re.compile(r"[0-9a-f]{16}")


class Recorded(Protocol):
    """Metadata of a process, from a complete trace or from one that is being recorded."""

    @property
    def path(self) -> Path:
        """The path of the trace."""

    @property
    def pid(self) -> int:
        """The process id."""

    @property
    def language(self) -> str:
        """``go``, ``python`` or ``unknown``."""

    @property
    def started(self) -> int:
        """The start of its trace: nanoseconds since 1970-01-01 UTC."""

    @property
    def process(self) -> dict[str, Any]:
        """The process facts defined in docs/trace-format.md."""


@dataclass(frozen=True)
class RecordedProcess:
    """Metadata of a process whose trace is being followed."""

    path: Path
    pid: int
    language: str
    started: int
    process: dict[str, Any]


def process_key(recorded: Recorded) -> int:
    """Return the key by which other processes' traces name a process; 0 without one."""
    key = recorded.process.get("process_key")
    return int(key, 16) if isinstance(key, str) and _PROCESS_KEY.fullmatch(key) else 0


def arguments(recorded: Recorded) -> list[str]:
    """Return the command line, empty if the trace does not contain it."""
    argv = recorded.process.get("argv")
    return [str(argument) for argument in argv] if isinstance(argv, list) else []


def program_name(recorded: Recorded) -> str:
    """Return the program's base name, or the trace's if the command line is unknown."""
    argv = arguments(recorded)
    return PurePath(argv[0]).name if argv and argv[0] else encodable(recorded.path.stem)


def service_name(recorded: Recorded) -> str:
    """Return the name of the service that the environment set, else of the program.

    The program of an interpreter is the module or script. A name has at most 200 characters.
    """
    return _service_name(recorded)[:_MAX_LENGTH]


def host_name(recorded: Recorded) -> str:
    """Return the name of the host that the process ran on; empty if it is unknown."""
    return _text(recorded.process.get("host"))


def _service_name(recorded: Recorded) -> str:
    service = _text(recorded.process.get("service"))
    if service:
        return service
    build = recorded.process.get("build")
    main = _text(build.get("main")) if isinstance(build, dict) else ""
    main = main.removesuffix(".__main__")
    if main.endswith(".pyc"):
        main = _program_argument(main, arguments(recorded))
    if recorded.language != "python" or not main:
        return program_name(recorded)
    return PurePath(main).stem if "/" in main or main.endswith(".py") else main


def _program_argument(started: str, words: list[str]) -> str:
    """Return the script or module after the compiled file in the arguments of functrace run."""
    following = words[words.index(started) + 1 :] if started in words else []
    return next((word for word in following if word != "-m"), "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
