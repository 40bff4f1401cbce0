"""Where the command ``functrace`` begins: with our packages, whatever else has their names."""

from __future__ import annotations

import os
import sys

_OURS = "functrace-cli "  # as functrace.RUNTIME begins


def main() -> None:
    """Run the command, or say what is in its way."""
    _put_behind(os.environ.get("PYTHONPATH", ""))
    import functrace

    if not getattr(functrace, "RUNTIME", "").startswith(_OURS):
        other = f"{functrace.__file__} is another package of that name"
        sys.exit(f"functrace: {other}; one environment cannot have both")
    from functrace.cli import main as command

    command.main()


def _put_behind(path: str) -> None:
    """Look into what PYTHONPATH names, which is meant for programs, behind our own folders."""
    here = os.path.dirname(os.path.abspath(__file__))
    theirs = {os.path.abspath(folder) for folder in path.split(os.pathsep)} if path else set()
    sys.path.sort(key=lambda folder: folder != here and folder in theirs)
