"""Faults of one process: what fires within a short time belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from functrace.watch.figures import Figures, RingProcess
from functrace.watch.firing import JSON, Firing
from functrace.watch.triggers import KINDS, Finding

_MAX_NAME = 64
_RANKS = {name: rank for rank, name in enumerate(KINDS)}


@dataclass(frozen=True)
class Cause:
    """A trigger that is true of a fault.

    Attributes:
        trigger: its name.
        finding: what is true.
        figures: the window in which it became true.
        is_cooling: whether the trigger is in its cooldown, and gives no bundle by itself.
    """

    trigger: str
    finding: Finding
    figures: Figures
    is_cooling: bool


@dataclass
class Fault:
    """Fault for which a bundle is saved.

    Attributes:
        id: identifies it among all faults of a watcher, across restarts.
        began: Unix time of the first window in which a trigger was true.
        causes: the triggers that are true, in the order in which they became true.
    """

    id: str
    began: float
    causes: list[Cause] = field(default_factory=list)

    def guilty(self) -> Cause:
        """Return the cause that names the fault best."""
        return min(self.causes, key=lambda cause: (cause.is_cooling, _RANKS[cause.trigger]))

    def firing(self) -> Firing:
        """Return the firing that the bundle is saved for."""
        guilty = self.guilty()
        others = [cause for cause in self.causes if cause is not guilty]
        figures, finding = guilty.figures, guilty.finding
        names = figures.names
        chain = names.functions(finding.chain) if finding.chain is not None else ()
        function = names.function(finding.chain) if finding.chain is not None else None
        return Firing(
            trigger=guilty.trigger,
            kind=KINDS[guilty.trigger].group,
            process=figures.process,
            at=figures.end,
            summary=finding.summary,
            values={**finding.values, **window_values(figures)},
            chain=chain,
            function=chain[-1] if chain else None,
            file=function.file if function else None,
            also_true=tuple(f"{cause.trigger}: {cause.finding.summary}" for cause in others),
        )


def window_values(figures: Figures) -> dict[str, JSON]:
    """Return the figures of a process in a window."""
    return {
        "window": {
            "end": figures.end,
            "seconds": figures.seconds,
            "is_incomplete": figures.is_incomplete,
            "cpu_cores": figures.cpu_cores,
            "rss_bytes": figures.rss_bytes,
            "memory_limit_bytes": figures.memory_limit_bytes,
            "threads": figures.threads,
            "live_tracks": figures.live_tracks,
            "calls": figures.calls,
            "failed": figures.failed,
            "ended": figures.ended,
        }
    }


def identify(process: RingProcess, at: float) -> str:
    """Return the identifier of a fault, which is part of a file's name."""
    return f"{process.name[:_MAX_NAME]}-{process.pid}-{process.start}-{round(at * 1000)}"


def is_related(figures: Figures, chain: int | None, others: Sequence[int]) -> bool:
    """Return whether a chain leads to one of several others, or one of them to it."""
    if chain is None:
        return False
    own = figures.names.lineage(chain)
    return any(each in own or chain in figures.names.lineage(each) for each in others)
