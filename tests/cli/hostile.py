"""A trace and file names with sequences that control a terminal."""

from __future__ import annotations

import json
import re
import unicodedata

from tests.tracefile import writer as w
from tests.tracefile.services import Service

ATTACKS = (
    "\x1b[2J\x1b[5;41m",  # clears the screen, blinks
    "\x1b]0;title\x07\x1b]8;;x:evil\x1b\\link\x1b]52;c;aGk=\x07",
    "\x1bPq\x1b\\\x1bc\x9b31m\x9d0;title\x9c\x85\x84",
    "\u202egnp\u2066\u200f\u061c\u200b\ufeff\u2028\u2029\U000e0041\u3164",
    "\x08\x7f\r\x0b\x0c\0\x1c",
    "\nFORGED\tTAB\n",
)
HOSTILE = "".join(ATTACKS)
ARGUMENT = HOSTILE.replace("\0", "")
FILE_NAME = ARGUMENT.replace("/", "")[-60:]

OPTIONS = ("--help", "-o/tmp/x", "-")
"""names of functions that are options of every verb, or look like one"""
REQUEST_OPTIONS = ("--help", "--output=x now")
"""names of requests that do"""

_OURS = re.compile(r"\x1b\[(?:0|1|2|3[1236])m")
_PROGRESS = re.compile(r"\x1b\[(?:\?25[lh]|2K|1A|[0-9;]+m)|\r")


def trace(*, language: int = 1, pid: int = 4194303, ticks: int = 10) -> bytes:
    """Return a trace with an attack wherever a trace has text, every kind of end included."""
    process = {
        key: HOSTILE + key
        for key in ("tool", "runtime", "build", "executable", "host", "clock", "cwd", HOSTILE)
    }
    process["argv"] = [HOSTILE, "\ud800", HOSTILE * 30]  # type: ignore[assignment]
    process["options"] = {HOSTILE: HOSTILE, "a": "\x1b[2J\udfff", "b": 7}  # type: ignore[assignment]
    facts = w.facts(
        1,
        w.process(json.dumps(process)),
        w.function(1, f"main.{HOSTILE}", HOSTILE, 10),
        w.function(2, f"a/b{HOSTILE}/main;{HOSTILE}.g", f"/x/{HOSTILE}.go", 20),
        w.function(3, f"main.{HOSTILE}", "other" + HOSTILE, 30),
        w.function(4, f"pkg.{HOSTILE}<locals>.<lambda>", f"{HOSTILE}.py", 40),
    )
    calls = w.events(
        2,
        w.track(1, 1000, name=HOSTILE),
        w.enter(1, 0),
        *_failing(2, 1, w.error(HOSTILE), ticks),
        *_failing(3, 3 * ticks, w.panic(HOSTILE), ticks),
        *_failing(4, 6 * ticks, w.error(HOSTILE * 400), ticks),
        w.leave(1, 9 * ticks),
        track=1,
    )
    started = w.events(
        3,
        w.track(2, 1005, kind=3, parent=1, starter=2, line=7, name=HOSTILE),
        w.enter(3, 5),
        w.enter(4, 6),
        track=2,
    )
    return w.header(language=language, pid=pid) + facts + calls + started


def options() -> bytes:
    """Return a trace whose functions and requests are named like options; each fails once."""
    service = Service("shop", 0xA)
    track = service.track()
    track.enter("main.main", 0)
    for at, name in enumerate(OPTIONS, 1):
        track.enter(name, 1000 * at)
        track.leave(name, 1000 * at + 500, error="locked")
    for at, name in enumerate(REQUEST_OPTIONS, 10):
        track.begin_inbound(name, 1000 * at, at)
        track.end(name, 1000 * at + 500, status=500, error="500")
    track.leave("main.main", 20_000)
    return service.content()


def _failing(function: int, at: int, end: bytes, ticks: int) -> list[bytes]:
    return [w.enter(function, at), end, w.leave(function, at + ticks)]


def harm(shown: str, *, progress: bool = False) -> list[str]:
    """Return what output contains that acts on a terminal or hides, and lines that are forged.

    Args:
        shown: the output.
        progress: a progress bar may be in it.
    """
    left = _OURS.sub("", _PROGRESS.sub("", shown) if progress else shown)
    acting = {c for c in left if c not in "\n\t" and _acts(c)}
    forged = [line for line in left.splitlines() if line.startswith("FORGED") or "\tTAB" in line]
    return sorted(map(ascii, acting)) + forged


def _acts(character: str) -> bool:
    is_acting = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return is_acting or character == "\u3164"
