"""Conditions of triggers that are true, and what all triggers have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from functrace.watch.config_keys import duration_s, flag, globs, key
from functrace.watch.figures import OTHER_TEXTS, ErrorText, Figures
from functrace.watch.firing import JSON
from functrace.watch.triggers.gauge import Gauge

COOLDOWN = "time after a firing in which the trigger does not fire again for the same service"


@dataclass(frozen=True)
class Finding:
    """Condition of a trigger that is true in a window.

    Attributes:
        subject: what it is true of: a chain, a text, or None for the whole process.
        summary: one sentence with the figures.
        values: figures and thresholds, with units in the names.
        chain: the guilty chain; None if there is none.
        began: Unix time in seconds at which the condition began, where that is known.
    """

    subject: int | str | None
    summary: str
    values: Mapping[str, JSON] = field(default_factory=dict)
    chain: int | None = None
    began: float | None = None


@dataclass(frozen=True)
class TriggerSettings:
    """Keys of every trigger."""

    enabled: bool = key("enabled", flag, True, "whether the trigger is evaluated")
    cooldown_s: float = key("cooldown", duration_s, "5m", COOLDOWN)


@dataclass(frozen=True)
class ChainSettings(TriggerSettings):
    """Keys of the triggers that judge functions by chain."""

    functions: tuple[str, ...] = key(
        "functions", globs, ["*"], "functions that are judged; [globs](globs.md)"
    )
    exclude: tuple[str, ...] = key("exclude", globs, [], "functions that are not judged")


def most_frequent_text(errors: Iterable[ErrorText]) -> str:
    """Return the text with most failing calls; empty if there is none."""
    texts = sorted(errors, key=lambda each: (each.text == OTHER_TEXTS, -each.calls))
    return texts[0].text if texts else ""


class Trigger(Protocol):
    """Trigger of one process.

    Attributes:
        gauge: its latest value and threshold.
    """

    gauge: Gauge

    def observe(self, figures: Figures) -> Iterable[Finding]:
        """Take in the next window and return what is true in it."""
        ...
