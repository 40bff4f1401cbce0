"""Sender settings from environment variables, which docs/otlp.md describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from functrace.errors import UsageError
from functrace.export.otlp.options import Options
from functrace.units import parse_duration, parse_share

_T = TypeVar("_T")

PREFIX = "FUNCTRACE_OTLP_"
_PATIENCE = "OTEL_BSP_EXPORT_TIMEOUT"


@dataclass(frozen=True)
class Settings:
    """Settings of the sender."""

    options: Options
    roots: tuple[str, ...]
    """globs of functions"""
    patience: float
    """seconds without progress after which the sender gives up once the program has ended"""


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings from an environment.

    Raises:
        UsageError: a variable is invalid; the message names it.
    """

    def of(name: str, read: Callable[[str], _T], default: _T) -> _T:
        text = environment.get(name, "")
        try:
            return read(text) if text else default
        except UsageError as error:
            raise UsageError(f"{name}={error}") from None

    of(f"{PREFIX}SLOW", _refuse_slow, None)
    return Settings(
        Options(
            rate=of(f"{PREFIX}SAMPLE", parse_share, 1.0),
            errors=of(f"{PREFIX}ERRORS", _switch, False),
            min_duration_ns=of(f"{PREFIX}MIN_DURATION", parse_duration, None),
        ),
        of(f"{PREFIX}ROOT", _globs, ()),
        of(_PATIENCE, _milliseconds, 10.0),
    )


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise UsageError(f"{text}: expected 0 or 1")
    return text == "1"


def _refuse_slow(text: str) -> None:
    raise UsageError(f"{text}: renamed; use {PREFIX}MIN_DURATION")


def _globs(text: str) -> tuple[str, ...]:
    return tuple(glob.strip() for glob in text.split(",") if glob.strip())


def _milliseconds(text: str) -> float:
    if not text.isdecimal():
        raise UsageError(f"{text} is not a number of milliseconds")
    return int(text) / 1000
