"""The packages of a build, from what the go command writes down before it begins.

Source: ``go build -debug-actiongraph=FILE``. The file is written when all packages are
loaded, and once more at the end; only the packages' names are used here.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

FLAG = "debug-actiongraph"
_PAUSE = 0.01  # seconds


def packages(path: Path, go: subprocess.Popen[bytes]) -> set[str]:
    """The import paths in the graph that ``go`` writes to ``path``; none if it fails before.

    A test's main package is called ``p.test``, the package of its external tests ``p_test``.
    """
    while True:
        has_ended = go.poll() is not None
        try:
            actions = json.loads(path.read_bytes())
        except (OSError, ValueError):  # not there yet, or not all of it
            if has_ended:
                return set()
            time.sleep(_PAUSE)
        else:
            return {action["Package"] for action in actions if action.get("Package")}
