"""A watcher of processes that die one after the other, at times in a file; a test kills it."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from functrace.watch import watcher
from functrace.watch.figures import Figures, RingProcess
from functrace.watch.state_folder import StateFolder
from tests.watch.made_up import START, configured, figures


class Dying:
    """Reports each process until it has died; also those that died before it was made."""

    def __init__(self, deaths: dict[str, float]) -> None:
        self._deaths = dict(deaths)

    def poll(self) -> Iterator[Figures]:
        now = time.time()
        for ring, at in list(self._deaths.items()):
            name, pid, start = Path(ring).stem.rsplit("-", 2)
            process = RingProcess(name, int(pid), start, Path(ring), "go")
            has_ended = now >= at
            if has_ended:
                del self._deaths[ring]
            window = figures(now - START, process=process, ended="died" if has_ended else None)
            yield replace(window, seconds=watcher.WINDOW_S)


def main() -> None:
    deaths, out, state = sys.argv[1:]
    watcher.WINDOW_S = 0.05
    folder = StateFolder(Path(state))
    folder.create()
    config = configured(["died"], died={"cooldown_s": 0.0}, bundles_per_hour=1000)
    with folder.locked():
        following = Dying(json.loads(Path(deaths).read_text()))
        running = watcher.Watcher(following, config, out, folder, _report)
        signal.signal(signal.SIGTERM, lambda *_: running.end())
        running.start()
        running.run()


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
