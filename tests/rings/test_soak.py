"""The soak test of the ring, for seconds instead of an hour."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_SOAK = Path(__file__).parents[2] / "benchmarks" / "hour.py"


@pytest.mark.slow
def test_a_ring_of_many_goroutines_accounts_for_every_event():
    short = ["--seconds=12", "--interval=2", "--tracks=2000", "--rate=50000"]
    run = subprocess.run(
        [sys.executable, str(_SOAK), *short],
        env={**os.environ, "FUNCTRACE_MAX_SIZE": "4M"},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert "FAILED" not in run.stdout
    assert "ring: 4.0 MB in the first third, 4.0 MB in the last" in run.stdout
