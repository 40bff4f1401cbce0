"""What the environment asks of the runtime; docs/python.md has the variables."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

_SIZE = re.compile(r"(\d+)([KMG]?)", re.ASCII)
_DURATION = re.compile(r"\+?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]+)", re.ASCII)
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


@dataclass(frozen=True)
class Settings:
    """The settings in force.

    Attributes:
        mode: text, record or off.
        out: where to; empty for the default.
        max_size: bytes that a file gets.
        overwrite: whether a full trace gives up its oldest calls.
        depth: calls deeper than so many levels are left out.
        min_duration: nanoseconds; shorter calls are left out of a trace.
        signal: USR1 or USR2 stops tracing and starts it; empty for neither.
        include, exclude: patterns over full names.
    """

    mode: str = "off"
    out: str = ""
    max_size: int = 1 << 30
    overwrite: bool = False
    depth: int = sys.maxsize
    min_duration: int = 0
    signal: str = ""
    include: tuple[re.Pattern[str], ...] = field(default=())
    exclude: tuple[re.Pattern[str], ...] = field(default=())

    def shows(self, name: str) -> bool:
        """Whether calls of the function with that full name are traced."""
        included = not self.include or any(glob.fullmatch(name) for glob in self.include)
        return included and not any(glob.fullmatch(name) for glob in self.exclude)


def load(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment.

    Raises:
        ValueError: one makes no sense; says which and what would.
    """

    def of(name: str) -> str:
        return environment.get("FUNCTRACE_" + name, "")

    return Settings(
        mode=_one_of("FUNCTRACE", environment.get("FUNCTRACE", ""), "off", "record", "text"),
        out=of("OUT"),
        max_size=_size(of("MAX_SIZE")),
        overwrite=_one_of("FUNCTRACE_FULL", of("FULL"), "stop", "overwrite") == "overwrite",
        depth=_depth(of("DEPTH")),
        min_duration=_duration(of("MIN_DURATION")),
        signal=_one_of("FUNCTRACE_SIGNAL", of("SIGNAL"), "", "USR1", "USR2"),
        include=_globs(of("INCLUDE")),
        exclude=_globs(of("EXCLUDE")),
    )


def expand(path: str) -> str:
    """``path`` with the process id for ``%p``."""
    return re.sub("%[p%]", lambda m: str(os.getpid()) if m[0] == "%p" else "%", path)


_WANTED = {
    "FUNCTRACE": "none of text, record and off",
    "FUNCTRACE_FULL": "neither stop nor overwrite",
    "FUNCTRACE_SIGNAL": "neither USR1 nor USR2",
}


def _one_of(variable: str, text: str, default: str, *others: str) -> str:
    if text and text not in (default, *others):
        raise ValueError(f"{variable}={text} is {_WANTED[variable]}")
    return text or default


def _size(text: str) -> int:
    if not text:
        return Settings.max_size
    found = _SIZE.fullmatch(text)
    size = int(found[1]) << 10 * ("KMG".index(found[2]) + 1 if found[2] else 0) if found else 0
    if not 0 < size < 1 << 63:
        raise ValueError(f"FUNCTRACE_MAX_SIZE={text} is not a size such as 500M or 2G")
    return size


def _depth(text: str) -> int:
    if not text:
        return Settings.depth
    if not re.fullmatch("[0-9]{1,18}", text) or int(text) < 1:
        raise ValueError(f"FUNCTRACE_DEPTH={text} is not a number of levels")
    return int(text)


def _duration(text: str) -> int:
    if not text:
        return 0
    if not _DURATION.fullmatch(text):
        raise ValueError(f"FUNCTRACE_MIN_DURATION={text} is not a time such as 5us or 2ms")
    return int(sum(float(number) * _NANOSECONDS[unit] for number, unit in _PART.findall(text)))


def _globs(text: str) -> tuple[re.Pattern[str], ...]:
    return tuple(_glob(part) for part in re.split("[, ]+", text) if part)


def _glob(text: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(c) or re.escape(c) for c in text), re.DOTALL)
