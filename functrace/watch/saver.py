"""Queue of bundles to save, one after the other, each in a process of its own."""

from __future__ import annotations

import heapq
import json
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from functrace.watch.priority import lower_priority_of_saving
from functrace.watch.saving import Job

_FIRST_RETRY_S = 10.0
_MAX_RETRY_S = 600.0
_KILL_S = 1.0


@dataclass(frozen=True)
class Result:
    """Outcome of one attempt to save a bundle.

    Attributes:
        identifier: of the pending firing.
        place: path or URL of the bundle; None if it was saved already or cannot be saved.
        failed_notices: number of receivers that could not be notified.
        error: why it cannot be saved.
        is_final: whether no later attempt can save it.
    """

    identifier: str
    place: str | None = None
    failed_notices: int = 0
    error: str | None = None
    is_final: bool = False


@dataclass(order=True)
class _Waiting:
    at: float
    job: Job = field(compare=False)
    attempts: int = field(compare=False, default=0)


class Saver:
    """Thread that runs the processes.

    Args:
        report: receives each outcome, in the thread.
        command: the process, which reads a job on standard input.
    """

    def __init__(
        self,
        report: Callable[[Result], None],
        command: tuple[str, ...] = (sys.executable, "-m", "functrace.watch.save_process"),
    ) -> None:
        self._report = report
        self._command = command
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()
        self._is_ending = False
        self._is_killed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def add(self, job: Job) -> None:
        """Save a bundle after those that wait already."""
        with self._changed:
            heapq.heappush(self._waiting, _Waiting(time.monotonic(), job))
            self._changed.notify()

    def end(self, patience_s: float) -> None:
        """Save what waits within a time; the rest stays pending."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        self._thread.join(patience_s)
        process = self._process
        self._is_killed = True
        while self._thread.is_alive():
            if process is not None:
                process.kill()
            self._thread.join(_KILL_S)
            process = self._process

    def _run(self) -> None:
        lower_priority_of_saving()
        while (waiting := self._next()) is not None:
            result = self._save(waiting.job)
            self._report(result)
            if result.error is not None and not result.is_final:
                self._retry(waiting)

    def _next(self) -> _Waiting | None:
        with self._changed:
            while True:
                now = time.monotonic()
                if self._waiting and self._waiting[0].at <= now and not self._is_killed:
                    return heapq.heappop(self._waiting)
                if self._is_ending:
                    return None
                self._changed.wait(self._waiting[0].at - now if self._waiting else None)

    def _save(self, job: Job) -> Result:
        try:
            with subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            ) as process:
                self._process = process
                output, _ = process.communicate(pickle.dumps(job))
        except OSError as error:
            return Result(job.identifier, error=f"cannot start a process: {error.strerror}")
        finally:
            self._process = None
        try:
            return Result(job.identifier, **json.loads(output))
        except (ValueError, TypeError):
            status = process.returncode
            how = f"signal {-status}" if status < 0 else f"exit status {status}"
            return Result(job.identifier, error=f"the process that saves it ended with {how}")

    def _retry(self, waiting: _Waiting) -> None:
        delay = min(_FIRST_RETRY_S * 2**waiting.attempts, _MAX_RETRY_S)
        again = _Waiting(time.monotonic() + delay, waiting.job, min(waiting.attempts + 1, 10))
        with self._changed:
            heapq.heappush(self._waiting, again)
