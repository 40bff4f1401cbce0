"""Events from sys.setprofile, for Python 3.10 and 3.11.

Its events are "call" and "return"; what each stands for is in the instruction that the frame is at.
It cannot tell which exception passes through, and threads that run already when it starts are out
of its reach.
"""

from __future__ import annotations

import opcode
import sys
import threading
from types import CodeType, FrameType
from typing import Any

from functrace.runtime import BUILTINS
from functrace.runtime.known import KNOWN, Known
from functrace.runtime.stacks import Stacks

globals()["__builtins__"] = BUILTINS

_RETURN = opcode.opmap["RETURN_VALUE"]
_YIELD = opcode.opmap["YIELD_VALUE"]
_YIELD_FROM = opcode.opmap.get("YIELD_FROM", -2)  # before 3.11
_RESUME = opcode.opmap.get("RESUME", -1)  # from 3.11 on
_WIDTH = 2  # bytes of an instruction


class Profile:
    """Tells stacks what sys.setprofile tells."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._instructions: dict[Known, bytes] = {}
        self._is_on = False
        self._hook = self._event  # one object, to know it again

    def add(self, code: CodeType) -> None:
        """A code object has become known: nothing is to be done."""

    def start(self) -> None:
        """Tell from here on. Raises RuntimeError where another profiler is at work."""
        if sys.getprofile() is not None:
            raise RuntimeError("another profiler is at work")
        self._is_on = True
        threading.setprofile(self._hook)
        sys.setprofile(self._hook)

    def stop(self) -> None:
        """Tell no more; other threads notice at their next event."""
        self._is_on = False
        if threading._profile_hook is self._hook:
            threading.setprofile(None)
        if sys.getprofile() is self._hook:
            sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, value: Any) -> None:
        if not self._is_on:
            sys.setprofile(None)
            return
        code = frame.f_code
        one = KNOWN.get(id(code))
        if one is None:
            return
        if event == "call":
            self._call(one, code, frame)
        elif event == "return":
            self._return(one, code, frame, value)

    def _call(self, one: Known, code: CodeType, frame: FrameType) -> None:
        if not one.steps or self._begins(one, code, frame.f_lasti):
            self._stacks.start(code, frame.f_lasti)
        else:
            self._stacks.resume(code, frame.f_lasti)

    def _begins(self, one: Known, code: CodeType, at: int) -> bool:
        """Whether a generator begins, not goes on."""
        if at < 0:
            return True
        instructions = self._instructions_of(one, code)
        return instructions[at] == _RESUME and instructions[at + 1] == 0

    def _return(self, one: Known, code: CodeType, frame: FrameType, value: Any) -> None:
        at = frame.f_lasti
        instructions = self._instructions_of(one, code)
        here = instructions[at] if at >= 0 else -1
        # Python 3.10 steps back before a YIELD_FROM that yields, to do it again.
        behind = instructions[at + _WIDTH] if at + _WIDTH < len(instructions) else -1
        if here == _RETURN:
            self._stacks.finish(code, at, value)
        elif here == _YIELD or behind == _YIELD_FROM:
            self._stacks.give(code, at, value)
        else:
            self._stacks.unwind(code, at, None)

    def _instructions_of(self, one: Known, code: CodeType) -> bytes:
        found = self._instructions.get(one)
        if found is None:
            found = self._instructions[one] = code.co_code
        return found
