"""Program for functrace record: writes a trace and ends as its arguments specify."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.support.waiting import PATIENCE
from tests.tracefile import writer as w


def trace(*, failing: bool = False, flags: int = 1) -> bytes:
    """main.main calls Sell twice; price fails in one of them."""
    return (
        w.header(flags=flags)
        + w.FUNCTIONS
        + w.events(
            2,
            w.track(1, 1010),
            w.enter(1, 10),
            w.enter(2, 20),
            w.enter(3, 25),
            w.leave(3, 30),
            w.leave(2, 40),
            w.enter(2, 50),
            w.enter(3, 55),
            *([w.error("item 13 is\nlocked")] if failing else []),
            w.leave(3, 70),
            w.leave(2, 80),
            w.leave(1, 90),
        )
        + w.events(
            3, w.track(35, 1060, parent=1, starter=2, line=22), w.enter(4, 60), w.leave(4, 85)
        )
    )


def _say_interrupted(*_: object) -> None:
    os.write(1, b"interrupted\n")  # sys.stdout may be at it when the signal comes


def main() -> None:
    """``failing``, ``full``, ``copy``: two traces, ``none``; ``status=3``, ``kill``, ``wait``."""
    words = sys.argv[1:]
    out = Path(os.environ["FUNCTRACE_OUT"].replace("%p", str(os.getpid())).replace("%%", "%"))
    variables = (f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith("FUNCTRACE_"))
    settings = " ".join(word for word in variables if not word.startswith("FUNCTRACE_OUT="))
    sys.stdout.write(f"{settings}\n{sys.stdin.read()}")
    if "none" not in words:
        out.write_bytes(trace(failing="failing" in words, flags=2 if "full" in words else 1))
    if "copy" in words:
        out.with_name(out.stem + "-2.ftrace").write_bytes(trace())
    if "wait" in words:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        signal.signal(signal.SIGINT, _say_interrupted)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.alarm(PATIENCE)  # whoever was to end it may have failed
        while True:
            signal.pause()
    sys.stdout.flush()
    if "kill" in words:
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(next((int(word[7:]) for word in words if word.startswith("status=")), 0))


if __name__ == "__main__":
    main()
