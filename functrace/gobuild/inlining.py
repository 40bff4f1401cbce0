"""The compiler's decisions about inlining, for light builds."""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from functrace.gobuild.session import Session

# FILE:LINE:COLUMN: can inline NAME; with -L the file's own position follows that of a //line
# directive in brackets. Source: cmd/internal/src/pos.go and cmd/compile/internal/inline/inl.go
_VERDICT = re.compile(
    rb"^(?:.*:\d+(?::\d+)?\[(.+):(\d+):(\d+)\]|(.+):(\d+):(\d+)): can inline ", re.MULTILINE
)
# Decisions only, with columns and the position in the file itself.
_FLAGS = ("-m=1", "-C=0", "-L=1")


def find_inlinable(
    session: Session, command: Sequence[str], files: Mapping[str, bytes]
) -> dict[str, frozenset[int]] | None:
    """Return the offsets at which the compiler reports functions that it can inline, by file.

    Runs the compiler once more, on the original files and with the flags of ``command``. Returns
    None if they do not compile.
    """
    output = Path(command[command.index("-o") + 1]).with_name("inlining.functrace")
    new = _command(command, len(files), output)
    done = subprocess.run([*session.toolexec, *new], capture_output=True, check=False)
    output.unlink(missing_ok=True)
    if done.returncode:
        return None
    return parse_verdicts(done.stdout + done.stderr, files)


def _command(command: Sequence[str], file_count: int, output: Path) -> list[str]:
    end = len(command) - file_count
    flags = list(command[:end])
    flags[flags.index("-o") + 1] = str(output)
    if "-trimpath" in flags:
        at = flags.index("-trimpath")
        del flags[at : at + 2]  # it changes only paths, and the files' full ones are needed
    return [*flags, *_FLAGS, *command[end:]]


def parse_verdicts(text: bytes, files: Mapping[str, bytes]) -> dict[str, frozenset[int]]:
    """Return the offsets in ``files`` that the compiler's output ``text`` reports as inlinable."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    starts: dict[str, list[int]] = {}
    for match in _VERDICT.finditer(text):
        path = os.fsdecode(match[1] or match[4])
        if path in files:
            if path not in starts:
                starts[path] = _find_line_starts(files[path])
            line, column = int(match[2] or match[5]), int(match[3] or match[6])
            found[path].add(starts[path][line - 1] + column - 1)
    return {path: frozenset(offsets) for path, offsets in found.items()}


def _find_line_starts(text: bytes) -> list[int]:
    return [0, *(match.end() for match in re.finditer(rb"\n", text))]
