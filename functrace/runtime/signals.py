"""A signal that stops tracing and starts it again."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from functrace.runtime import BUILTINS

globals()["__builtins__"] = BUILTINS


def toggle_on(name: str, toggle: Callable[[], None]) -> None:
    """Have every signal of that name, USR1 or USR2, toggle.

    It is the main thread that may say so; functions traced by another first have no signal.
    """
    number = signal.Signals[f"SIG{name}"]
    before: Any = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        toggle()
        if callable(before):
            before(received, frame)

    with suppress(ValueError):  # another thread than the main one
        signal.signal(number, handle)
