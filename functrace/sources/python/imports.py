"""Module names of Python files, and the functrace package that they would import.

PyPI's ``functrace`` is an unrelated project that installs a package of the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

# The module that instrumented sources import, and the distribution that contains it.
MODULE = "functrace"
DISTRIBUTION = "functrace-cli"
# Files that identify this distribution's package among packages of that name.
_MARKS = ("_native/reader/trace.h", "trace/format.py")
_ENVIRONMENTS = (".venv", "venv", "env")


def is_ours(folder: Path) -> bool:
    """Return whether a directory is the package that this distribution installs."""
    return folder.name == MODULE and all((folder / mark).is_file() for mark in _MARKS)


def find_foreign(root: Path, folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the packages that the sources of ``folders`` would import in the runtime's place.

    Search the directories from which Python may import the sources, which are below ``root``,
    and their virtual environments.
    """
    searched = dict.fromkeys(map(find_import_root, (root, *folders)))
    for place in (*searched, *find_site_packages(root)):
        package, module = place / MODULE, place / f"{MODULE}.py"
        if (package / "__init__.py").is_file() and not is_ours(package):
            yield package
        elif module.is_file():
            yield module


def is_installed(root: Path) -> bool:
    """Return whether this distribution is installed in a virtual environment of ``root``."""
    name = DISTRIBUTION.replace("-", "_")
    return any(any(place.glob(f"{name}-*.dist-info")) for place in find_site_packages(root))


def find_site_packages(root: Path) -> Iterator[Path]:
    """Yield the package directories of the virtual environments of ``root``.

    The environments are in ``root`` or in its nearest parent that contains any.
    """
    for folder in (root, *root.parents):
        there = [e for name in _ENVIRONMENTS if (e := folder / name / "pyvenv.cfg").is_file()]
        if there:
            for mark in there:
                yield from sorted(mark.parent.glob("lib/python3*/site-packages"))
            return


@cache
def find_package(folder: Path) -> str:
    """Return the dotted name of the package in an absolute ``folder``, or ``""``."""
    if not (folder / "__init__.py").is_file() or folder.parent == folder:
        return ""
    return _joined(find_package(folder.parent), folder.name)


def module_name(package: str, file: str) -> str:
    """Return the dotted name of the module in ``file``, in the directory of ``package``."""
    stem = file.rpartition(".")[0] or file
    return package if package and stem == "__init__" else _joined(package, stem)


def find_import_root(folder: Path) -> Path:
    """Return the directory that Python must search to find the modules in ``folder``."""
    return folder.parents[find_package(folder).count(".")] if find_package(folder) else folder


def _joined(package: str, name: str) -> str:
    return f"{package}.{name}" if package else name
