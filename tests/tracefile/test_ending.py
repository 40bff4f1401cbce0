"""How a traced process ended: by its parent's word, or by what the system knows of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from functrace.tracefile import open_trace
from functrace.tracefile.ending import Ending, is_running, write_ending
from tests.tracefile import writer as w

PID = 4194303  # of the writer's header


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.ftrace"
    path.write_bytes(w.header(flags=0) + w.FUNCTIONS)
    return path


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending(0, None), "exit status 0"),
        (Ending(255, None), "exit status 255"),
        (Ending(None, 9), "killed by SIGKILL"),
        (Ending(None, 63), "killed by signal 63"),
    ],
)
def test_what_is_written_is_read(path: Path, ending: Ending, words: str) -> None:
    before = open_trace(path)
    assert before.ending is None
    write_ending(path, PID, ending)
    after = open_trace(path)
    assert (after.ending, str(after.ending), after.is_running) == (ending, words, False)
    assert (after.ended_cleanly, after.functions) == (False, before.functions)


@pytest.mark.parametrize("content", [b"", b"somebody's\n" * 1000, w.header(version=3), w.header()])
def test_other_files_stay_as_they_are(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    write_ending(path, PID + 1, Ending(0, None))
    assert path.read_bytes() == content


def test_a_link_is_not_followed(path: Path) -> None:
    link = path.with_name("link.ftrace")
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic link"):
        write_ending(link, PID, Ending(0, None))
    assert open_trace(path).ending is None


def _facts(**changes: Any) -> dict[str, Any]:
    """Those of this process."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return {
        "host": socket.gethostname(),
        "pid_namespace": str(Path("/proc/self/ns/pid").readlink()),
        "start_ticks": int(fields[19]),
        **changes,
    }


@pytest.mark.skipif(not Path("/proc/self/ns/pid").is_symlink(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"start_ticks": 1}, False),  # the id has been given again
        ({"host": "elsewhere"}, None),
        ({"pid_namespace": "pid:[1]"}, None),
        ({"pid_namespace": None}, None),
    ],
)
def test_whether_it_still_runs(changes: dict[str, Any], expected: bool | None) -> None:
    assert is_running(os.getpid(), _facts(**changes)) is expected
    assert is_running(1 << 30, _facts(**changes)) in (False, None)
