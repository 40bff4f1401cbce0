"""Builds what is in C; without a compiler the Python twins of it do the work."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

_RECORDER = Path("functrace/_native/recorder")


def _extensions() -> list[Extension]:
    reader = Extension(
        "functrace._native._fold",  # no Python module: it is loaded by ctypes
        sources=[f"functrace/_native/{part}.c" for part in ("scan", "fold", "events", "pack")],
        depends=[f"functrace/_native/{part}.h" for part in ("trace", "track", "walk")],
        extra_compile_args=["-std=c99", "-O3"],
        optional=True,
    )
    recorder = Extension(
        "functrace._native._recorder",
        sources=[str(path) for path in sorted(_RECORDER.glob("*.c"))],
        depends=[str(path) for path in sorted(_RECORDER.glob("*.h"))],
        define_macros=[("_GNU_SOURCE", "1")],
        extra_compile_args=["-std=c11", "-O3", "-fvisibility=hidden"],
        optional=True,
    )
    # Without the interpreter's lock, and where files are mapped otherwise, its twin records.
    recorded = os.name == "posix" and not sysconfig.get_config_var("Py_GIL_DISABLED")
    return [reader, recorder] if recorded else [reader]


setup(ext_modules=_extensions())
