"""The Python runtime as instrumented sources will find it: this distribution, or another one.

PyPI's ``functrace`` is somebody else's, and installs a package of that name, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from functrace.sources.python.packages import import_root

# What instrumented sources import, and the distribution that has it.
MODULE = "functrace"
DISTRIBUTION = "functrace-cli"
# In a package of that name, these are ours.
_MARKS = ("_native/reader/trace.h", "trace/format.py")
_ENVIRONMENTS = (".venv", "venv", "env")


def is_ours(folder: Path) -> bool:
    """Whether a folder is the package that this distribution installs."""
    return folder.name == MODULE and all((folder / mark).is_file() for mark in _MARKS)


def foreign(root: Path, folders: Iterable[Path]) -> Iterator[Path]:
    """What the sources of ``folders``, below ``root``, would import in the runtime's place.

    Looked at are the folders from which Python may import them, and their virtual
    environments.
    """
    searched = dict.fromkeys(map(import_root, (root, *folders)))
    for place in (*searched, *site_packages(root)):
        package, module = place / MODULE, place / f"{MODULE}.py"
        if (package / "__init__.py").is_file() and not is_ours(package):
            yield package
        elif module.is_file():
            yield module


def is_installed(root: Path) -> bool:
    """Whether a virtual environment of the sources in ``root`` has this distribution."""
    name = DISTRIBUTION.replace("-", "_")
    return any(any(place.glob(f"{name}-*.dist-info")) for place in site_packages(root))


def site_packages(root: Path) -> Iterator[Path]:
    """The folders of installed packages in the virtual environments of the sources in ``root``.

    They stand in it, or in the nearest folder above it that has any.
    """
    for folder in (root, *root.parents):
        there = [e for name in _ENVIRONMENTS if (e := folder / name / "pyvenv.cfg").is_file()]
        if there:
            for mark in there:
                yield from sorted(mark.parent.glob("lib/python3*/site-packages"))
            return
