"""Check of an installed functrace: record a program, query the trace, diagnose.

    PYTHON tools/check_installed.py    check the functrace of this Python's environment

cibuildwheel runs it on each wheel, with PATH reduced to the environment, so without a compiler.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sysconfig
import tempfile
from pathlib import Path

BINARIES = Path(sysconfig.get_path("scripts"))
HAS_RECORDER = not sysconfig.get_config_var("Py_GIL_DISABLED")
PROGRAM = """
def work(number):
    return number + 1

for number in range(1000):
    work(number)
"""


def main() -> None:
    """Raise AssertionError or CalledProcessError if anything does not work."""
    importlib.import_module("functrace._native._reader")
    if HAS_RECORDER:
        importlib.import_module("functrace._native._recorder")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(PROGRAM)
        recorded = _functrace(folder, "run", "--record", "-o", "app.ftrace", "app.py")
        assert ("fallback" in recorded) is not HAS_RECORDER, recorded
        report = _functrace(folder, "report", "app.ftrace")
        (line,) = (each for each in report.splitlines() if "__main__.work" in each)
        assert "1,000" in line, report
        assert "__main__.work" in _functrace(folder, "callers", "work", "app.ftrace")
        (folder / "app.ftrace").unlink()
        diagnosis = _functrace(folder, "doctor")
        assert ("fallback" in diagnosis) is not HAS_RECORDER, diagnosis
    print(f"{BINARIES / 'functrace'} works")


def _functrace(folder: Path, *arguments: str) -> str:
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
    done = subprocess.run(
        [BINARIES / "functrace", *arguments],
        cwd=folder,
        env={**kept, "PATH": str(BINARIES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print("$ functrace", *arguments)
    print(done.stdout)
    done.check_returncode()
    return done.stdout


if __name__ == "__main__":
    main()
