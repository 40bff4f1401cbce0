"""Compiles the reader and the recorder with every warning, if Python's headers are there."""

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
    print(f"  the extension modules in C are not checked: no Python.h in {include}")
    sys.exit()
for name, flags in FLAGS.items():
    warnings = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    sources = sorted((NATIVE / name).glob("*.c"))
    # Python's own headers are not ours to mend.
    command = ["cc", *flags, *warnings, "-isystem", str(include), *map(str, sources)]
    if subprocess.run(command).returncode:
        sys.exit(1)
