"""Builds the extension modules: the trace reader, and the recorder where it is supported."""

from __future__ import annotations

import os
import shlex
import shutil
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

_NATIVE = Path("functrace/_native")
_IS_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
_NEEDS = "a C compiler (gcc or clang) and Python's headers, e.g. apt install gcc python3-dev"


class _Build(build_ext):
    """Reports a missing compiler or missing headers as one message."""

    def build_extension(self, ext: Extension) -> None:
        """Build an extension module.

        Raises:
            SystemExit: it is required, and what builds it is not installed.
        """
        try:
            super().build_extension(ext)
        except (BaseError, CCompilerError, OSError):
            if ext.optional or self._has_what_is_needed():
                raise
            raise SystemExit(f"error: functrace-cli is built from source with {_NEEDS}") from None

    def _has_what_is_needed(self) -> bool:
        configured = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
        header = Path(sysconfig.get_path("include"), "Python.h")
        return shutil.which(shlex.split(configured)[0]) is not None and header.exists()


def _extension(name: str, standard: str, **more: object) -> Extension:
    folder = _NATIVE / name.lstrip("_")
    return Extension(
        f"functrace._native.{name}",
        sources=[str(path) for path in sorted(folder.glob("*.c"))],
        depends=[str(path) for path in sorted(folder.glob("*.h"))],
        extra_compile_args=[f"-std={standard}", "-O3", "-fvisibility=hidden"],
        **more,
    )


def _extensions() -> list[Extension]:
    # One binary for all versions of CPython, but those without a lock, which have no limited API.
    limited = [] if _IS_FREE_THREADED else [("Py_LIMITED_API", "0x030A0000")]
    reader = _extension(
        "_reader", "c99", define_macros=limited, py_limited_api=not _IS_FREE_THREADED
    )
    recorder = _extension("_recorder", "c11", define_macros=[("_GNU_SOURCE", "1")], optional=True)
    # Without the interpreter's lock, and where files are mapped otherwise, the fallback records.
    has_recorder = os.name == "posix" and not _IS_FREE_THREADED
    return [reader, recorder] if has_recorder else [reader]


setup(ext_modules=_extensions(), cmdclass={"build_ext": _Build})
