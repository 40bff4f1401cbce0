"""The script that starts the sender."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.waiting import PATIENCE

_PROGRAM = """
import os
from functrace.export.otlp.live import start
os.sysconf = lambda _: {limit}
inherited = os.dup(0)
start._detach()
try:
    os.fstat(inherited)
except OSError:
    print("closed", os.fstat(1).st_mode != 0)
"""


@pytest.mark.parametrize("limit", [-1, 1 << 62], ids=["no limit", "a large limit"])
def test_what_the_program_has_open_is_closed(limit: int) -> None:
    """One that stays open keeps whoever reads the program's output waiting.

    The limit of a container may be a billion, and macOS may have none.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(limit=limit)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.stdout, done.stderr) == ("closed True\n", "")
