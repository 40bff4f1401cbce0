"""Saving of a pending firing, once, by whichever process claims it first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.watch.config import Config
from functrace.watch.firing import Firing
from functrace.watch.state_folder import StateFolder


class LostRingError(FunctraceError):
    """A ring is gone, and no later attempt can save its bundle."""


@dataclass(frozen=True)
class Job:
    """What to save, and where.

    Attributes:
        state: the watcher's state folder.
        identifier: of the pending firing.
        destination: folder or URL of the bundles.
        config: the configuration.
    """

    state: Path
    identifier: str
    destination: str
    config: Config


@dataclass(frozen=True)
class Delivered:
    """A bundle that was saved.

    Attributes:
        place: its path or URL.
        failed_notices: number of receivers that could not be notified.
    """

    place: str
    failed_notices: int = 0


def run(job: Job, save: Callable[[Job, Firing], Delivered]) -> Delivered | None:
    """Save the bundle of a job with ``save``; return None if it is saved already.

    Raises:
        FunctraceError: it cannot be saved. The firing stays pending, unless its ring is lost.
    """
    state = StateFolder(job.state)
    with state.claimed(job.identifier) as firing:
        if firing is None:
            return None
        try:
            delivered = save(job, firing)
        except LostRingError:
            state.finish(job.identifier)
            raise
        state.finish(job.identifier)
        return delivered
