"""A trace of 1 GB in functrace view: time per query, memory, and the page in Chromium.

python benchmarks/view.py [events]
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from view_page import view_page
from view_trace import write_trace

_EVENTS = 125_000_000
_QUERIES = 500
_PX = 1600


def view(events: int = _EVENTS) -> None:
    """Print the figures; the trace goes to the temporary folder."""
    print(f"functrace view, a trace of {events / 1e6:,.0f} million events in 8 threads")
    with tempfile.TemporaryDirectory() as folder:
        if shutil.disk_usage(folder).free < 24 * events:
            print("  skipped, not enough disk space")
            return
        path = Path(folder) / "x.ftrace"
        write_trace(path, events)
        for title in ("without an index", "with an index"):
            command = [sys.executable, __file__, "--measure", str(path)]
            figures = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            print(
                f"  {title:18}", *(f"{name} {figure}" for name, figure in figures.items()), sep="  "
            )
        view_page(path)
        size = path.with_name("x.ftrace.index").stat().st_size
        print(f"  the index has {size / path.stat().st_size:.0%} of the size of the trace")


def _measure(path: str) -> None:
    from functrace.tracefile import open_trace
    from functrace.view.timeline import Timeline

    begin = time.perf_counter()
    trace = open_trace(path)
    opened = time.perf_counter()
    timeline = Timeline.open(trace)
    prepared = time.perf_counter()
    times = np.array(_times(timeline)) * 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "open": f"{opened - begin:.2f} s",
        "index": f"{prepared - opened:.2f} s",
        "window": f"p50 {np.median(times):.1f} ms, p95 {np.percentile(times, 95):.1f} ms, "
        f"max {times.max():.1f} ms",
        "peak": f"{peak:,.0f} MB",
    }
    print(json.dumps(figures))


def _times(timeline: object) -> list[float]:
    """Return the seconds of windows of all tracks, at random places and of widths of all sizes."""
    from functrace.view.timeline import Timeline

    assert isinstance(timeline, Timeline)
    random = np.random.default_rng(1)
    first, last = timeline.trace.span
    tracks = range(len(timeline.trace.tracks))
    times = []
    for exponent in random.uniform(0, 9, _QUERIES).tolist():
        width = int((last - first) / 10**exponent)
        since = first + int(random.random() * (last - first - width))
        begin = time.perf_counter()
        timeline.window(tracks, since, since + width, _PX)
        times.append(time.perf_counter() - begin)
    return times


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measure(sys.argv[2])
    else:
        view(int(float(sys.argv[1])) if len(sys.argv) > 1 else _EVENTS)
