"""Builds the part of the reader that is in C; without a compiler its Python twin does the work."""

from __future__ import annotations

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "functrace._native._fold",  # no Python module: it is loaded by ctypes
            sources=["functrace/_native/scan.c", "functrace/_native/fold.c"],
            depends=["functrace/_native/trace.h"],
            extra_compile_args=["-std=c99", "-O3"],
            optional=True,
        )
    ]
)
