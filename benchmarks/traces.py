"""Speed and memory of reports on a trace of 1 GB."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_EVENTS = 125_000_000
_READER = Path(__file__).resolve().parent / "reader.py"


def traces() -> None:
    """Print the figures; the trace goes to the temporary folder."""
    print("a trace of 125 million events")
    with tempfile.TemporaryDirectory() as folder:
        if shutil.disk_usage(folder).free < 2 << 30:
            print("  skipped, not enough disk space for 1 GB")
            return
        path = f"{folder}/x.ftrace"
        command = [sys.executable, str(_READER), str(_EVENTS), path]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")
        for verb in (["report"], ["callers", "main.function7"]):
            _measure([*verb, path])


def _measure(arguments: list[str]) -> None:
    start = time.perf_counter()
    command = [sys.executable, "-m", "functrace", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    print(f"functrace {arguments[0]:8} {seconds:6.2f} s  peak {usage.ru_maxrss / 1024:.0f} MB")
