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
from functrace.runtime.call_stacks import CallStacks
from functrace.runtime.code_info import CODE_INFOS, CodeInfo

globals()["__builtins__"] = BUILTINS

_RETURN = opcode.opmap["RETURN_VALUE"]
_YIELD = opcode.opmap["YIELD_VALUE"]
_YIELD_FROM = opcode.opmap.get("YIELD_FROM", -2)  # before 3.11
_RESUME = opcode.opmap.get("RESUME", -1)  # from 3.11 on
_WIDTH = 2  # bytes of an instruction


class Profile:
    """Tells stacks what sys.setprofile tells."""

    def __init__(self, stacks: CallStacks) -> None:
        self._stacks = stacks
        self._instructions: dict[CodeInfo, bytes] = {}
        self._is_on = False
        self._hook = self._event  # info object, to know it again

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
        info = CODE_INFOS.get(id(code))
        if info is None:
            return
        if event == "call":
            self._call(info, code, frame)
        elif event == "return":
            self._return(info, code, frame, value)

    def _call(self, info: CodeInfo, code: CodeType, frame: FrameType) -> None:
        if not info.is_generator or self._begins(info, code, frame.f_lasti):
            self._stacks.start(code, frame.f_lasti)
        else:
            self._stacks.resume(code, frame.f_lasti)

    def _begins(self, info: CodeInfo, code: CodeType, at: int) -> bool:
        """Whether a generator begins, not goes on."""
        if at < 0:
            return True
        instructions = self._instructions_of(info, code)
        return instructions[at] == _RESUME and instructions[at + 1] == 0

    def _return(self, info: CodeInfo, code: CodeType, frame: FrameType, value: Any) -> None:
        at = frame.f_lasti
        instructions = self._instructions_of(info, code)
        here = instructions[at] if at >= 0 else -1
        # Python 3.10 is_generator back before a YIELD_FROM that yields, to do it again.
        behind = instructions[at + _WIDTH] if at + _WIDTH < len(instructions) else -1
        if here == _RETURN:
            self._stacks.return_(code, at, value)
        elif here == _YIELD or behind == _YIELD_FROM:
            self._stacks.yield_(code, at, value)
        else:
            self._stacks.unwind(code, at, None)

    def _instructions_of(self, info: CodeInfo, code: CodeType) -> bytes:
        found = self._instructions.get(info)
        if found is None:
            found = self._instructions[info] = code.co_code
        return found
