"""Selection of modules to instrument: the user's own, and others on request."""

from __future__ import annotations

import os

from functrace.pyimport.config import Config

_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_FUNCTRACE = os.path.dirname(os.path.dirname(__file__))
_REWRITER = os.path.join(os.path.dirname(_FUNCTRACE), "rewriter")
_OWN = (_FUNCTRACE + os.sep, _REWRITER + os.sep)


def is_own(path: str) -> bool:
    """Return whether a file is functrace's."""
    return path.startswith(_OWN)


def is_installed(path: str) -> bool:
    """Return whether a file is the standard library's or that of an installed package."""
    return _is_package(path) or path.startswith(_STANDARD_LIBRARY)


def _is_package(path: str) -> bool:
    return _INSTALLED[0] in path or _INSTALLED[1] in path


class ModuleFilter:
    """Module selection of one run."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def is_selected(self, name: str, path: str) -> bool:
        """Return whether the module in the file ``path`` is instrumented."""
        if is_own(path):
            return False
        if not is_installed(path):
            return True
        if self._config.std and not _is_package(path):
            return True
        return any(_matches(glob, name) for glob in self._config.deps)


def _matches(glob: str, name: str) -> bool:
    """Return whether ``glob`` matches the module or a package that contains it."""
    parts = name.split(".")
    return any(is_match(glob, ".".join(parts[:i])) for i in range(1, len(parts) + 1))


def is_match(glob: str, text: str) -> bool:
    """Match like :func:`rewriter.filters.compile_path_globs`, without ``re`` and ``?``."""
    first, *others = glob.replace("...", "*").split("*")
    if not others:
        return text == first
    last = others.pop()
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first + last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in others:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
