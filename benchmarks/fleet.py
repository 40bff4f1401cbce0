"""functrace diff --store over a fleet with three planted changes: what it finds, and its cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support import fleet_store
from tests.support.fleet import Plan

_PLAN = Plan(10_000, {"shop": 600, "payments": 300, "catalog": 2000})
_KINDS = ("appeared", "vanished", "slower", "faster", "fails_more", "fails_less")


def fleet(plan: Plan = _PLAN) -> None:
    """Print the changes that are found, and the time and memory that it takes."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "traces"
        planted = fleet_store.write_apart(place, plan)
        size = sum(file.stat().st_size for file in place.rglob("*.parquet"))
        print(f"two releases of {plan.processes:,} processes, {size / 1e6:.0f} MB")
        found, cpu_s, wall_s, peak_mb = _diff(place)
    for kind in (*_KINDS, "called_more", "called_less"):
        for change in found[kind]:
            steps = tuple(step["function"] for step in change["steps"])
            is_planted = steps == getattr(planted, kind, None)
            print(f"  {kind:12} {steps[-1]:20} {'planted' if is_planted else 'NOT PLANTED'}")
    print(f"  functrace diff --store: {cpu_s:.1f} s CPU, {wall_s:.1f} s, {peak_mb:.0f} MB")


def _diff(place: Path) -> tuple[dict[str, list[dict[str, object]]], float, float, float]:
    """Return the changes of the service shop, CPU time, time and memory."""
    command = [sys.executable, "-m", "functrace", "diff", "--store", str(place)]
    begin = time.perf_counter()
    with subprocess.Popen(
        [*command, "shop@1.4", "shop@1.5", "--json"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        found = json.load(process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    return found, cpu_s, time.perf_counter() - begin, usage.ru_maxrss / 1024


if __name__ == "__main__":
    fleet()
