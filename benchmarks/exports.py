"""Speed (in CPU time) and memory of exports to other formats.

    python benchmarks/exports.py [events]

The trace is that of reader.py: two events for each call.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_EVENTS = 20_000_000
_READER = Path(__file__).resolve().parent / "reader.py"
_FORMATS = {
    "perfetto": ".pftrace",
    "parquet": ".parquet",
    "pprof": ".pb.gz",
    "flamegraph": ".svg",
    "json": ".json",
    "speedscope": ".json",
    "chrome": ".json",
    "firefox": ".json",
}


def exports(events: int = _EVENTS) -> None:
    """Print the figures; the files go to the temporary folder."""
    print(f"exports of {events / 2e6:,.0f} million calls, and of a tenth of them")
    with tempfile.TemporaryDirectory() as folder:
        if shutil.disk_usage(folder).free < events * 110:
            print("  skipped, not enough disk space")
            return
        traces = {count: f"{folder}/{count}.ftrace" for count in (events // 10, events)}
        for count, path in traces.items():
            command = [sys.executable, str(_READER), "--write", path, str(count)]
            subprocess.run(command, check=True)
        for name, suffix in _FORMATS.items():
            out = Path(folder) / f"out{suffix}"
            small, whole = (_export(path, name, out) for path in traces.values())
            print(
                f"  {name:11} {events / 2e6 / whole[0]:6.2f} million calls/s"
                f"  {whole[0]:6.1f} s  {whole[2] / 1e6:8,.1f} MB"
                f"  peak {whole[1]:4.0f} MB, of a tenth {small[1]:4.0f} MB"
            )


def _export(path: str, name: str, out: Path) -> tuple[float, float, int]:
    """Return CPU seconds, megabytes of memory excluding the trace, and output bytes."""
    command = [sys.executable, "-m", "functrace", "export", path, "--to", name, "-o", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = usage.ru_utime + usage.ru_stime
    if status:
        sys.exit(f"{name} failed")
    files = [out] if out.is_file() else [each for each in out.rglob("*") if each.is_file()]
    size = sum(each.stat().st_size for each in files)
    if out.is_dir():
        shutil.rmtree(out)
    else:
        out.unlink()
    return seconds, (usage.ru_maxrss * 1024 - Path(path).stat().st_size) / 1e6, size


if __name__ == "__main__":
    exports(*(int(float(argument)) for argument in sys.argv[1:2]))
