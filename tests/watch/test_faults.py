"""Two services with six faults: each fault gives exactly one bundle, and quiet seconds none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_FAULTS = Path(__file__).parents[2] / "examples" / "faults"


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("FUNCTRACE_TEST_FAULTS"),
    reason="measures CPU and latencies, so it needs a machine without other load: make soak",
)
@pytest.mark.skipif(sys.platform != "linux", reason="rings in memory, limits of memory")
def test_each_fault_gives_one_bundle_that_names_it(tmp_path: Path) -> None:
    short = ["--config", str(_FAULTS / "quick.toml"), "--quiet", "40", "--rest", "24"]
    run = subprocess.run(
        [sys.executable, str(_FAULTS / "run.py"), "--out", str(tmp_path), *short],
        capture_output=True,
        text=True,
    )
    log = (tmp_path / "watch.log").read_text()
    assert (run.returncode, run.stderr) == (0, ""), run.stdout + log
    assert len(list(tmp_path.glob("[!.]*/*.ftrace"))) == 12
