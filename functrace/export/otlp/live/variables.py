"""Sender settings from environment variables, which docs/variables.md describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from functrace.errors import UsageError
from functrace.export.otlp.call_selection import Options
from functrace.globs import parse_globs
from functrace.units import parse_duration, parse_share

_T = TypeVar("_T")

PREFIX = "FUNCTRACE_OTLP_"
_TIMEOUT = "OTEL_BSP_EXPORT_TIMEOUT"


@dataclass(frozen=True)
class SenderSettings:
    """Settings of the sender."""

    options: Options
    roots: tuple[str, ...]
    """globs of functions"""
    timeout_s: float
    """seconds without progress after which the sender gives up once the program has ended"""


def read_settings(environment: Mapping[str, str]) -> SenderSettings:
    """Read the settings from an environment.

    Raises:
        UsageError: a variable is invalid; the message names it.
    """

    def value(name: str, parse: Callable[[str], _T], default: _T) -> _T:
        text = environment.get(name, "")
        try:
            return parse(text) if text else default
        except UsageError as error:
            raise UsageError(f"{name}={error}") from None

    value(f"{PREFIX}SLOW", _refuse_slow, None)
    return SenderSettings(
        Options(
            rate=value(f"{PREFIX}SAMPLE", parse_share, 1.0),
            errors=value(f"{PREFIX}ERRORS", _switch, False),
            min_duration_ns=value(f"{PREFIX}MIN_DURATION", parse_duration, None),
        ),
        value(f"{PREFIX}ROOT", _globs, ()),
        value(_TIMEOUT, _milliseconds, 10.0),
    )


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise UsageError(f"{text}: expected 0 or 1")
    return text == "1"


def _refuse_slow(text: str) -> None:
    raise UsageError(f"{text}: renamed; use {PREFIX}MIN_DURATION")


def _globs(text: str) -> tuple[str, ...]:
    return parse_globs([text])


def _milliseconds(text: str) -> float:
    if not text.isdecimal():
        raise UsageError(f"{text} is not a number of milliseconds")
    return int(text) / 1000
