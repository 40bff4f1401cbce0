"""Compiles the recorder of Python calls with every warning, if Python's headers are there."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

include = Path(sysconfig.get_path("include"))
if not (include / "Python.h").exists():
    print(f"  the recorder in C is not checked: no Python.h in {include}")
    sys.exit()
flags = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
sources = sorted(Path("functrace/_native/recorder").glob("*.c"))
# Python's own headers are not ours to mend.
sys.exit(subprocess.run(["cc", *flags, "-isystem", include, *sources]).returncode)
