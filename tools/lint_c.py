"""Compiler check of the C reader and recorder with all warnings, if Python's headers exist."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

NATIVE = Path("functrace/_native")
FLAGS = {
    "reader": ["-std=c99", "-DPy_LIMITED_API=0x030A0000"],
    "recorder": ["-std=c11", "-D_GNU_SOURCE"],
}

include = Path(sysconfig.get_path("include"))
if not (include / "Python.h").exists():
    print(f"  extension modules not checked: no Python.h in {include}")
    sys.exit()
for name, flags in FLAGS.items():
    warnings = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    sources = sorted((NATIVE / name).glob("*.c"))
    # Warnings in Python's own headers are ignored.
    command = ["cc", *flags, *warnings, "-isystem", str(include), *map(str, sources)]
    if subprocess.run(command).returncode:
        sys.exit(1)
