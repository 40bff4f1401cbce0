"""Call events from sys.setprofile, for Python 3.10 and 3.11.

sys.setprofile reports "call" and "return"; the instruction at which the frame stands shows the kind
of event. It does not report which exception leaves a call, and it does not reach threads that
were running before it started.
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
_YIELD_FROM = opcode.opmap.get("YIELD_FROM", -2)  # until Python 3.10
_RESUME = opcode.opmap.get("RESUME", -1)  # since Python 3.11
_WIDTH = 2  # bytes per instruction


class Profile:
    """Event source that uses sys.setprofile."""

    def __init__(self, stacks: CallStacks) -> None:
        self._stacks = stacks
        self._instructions: dict[CodeInfo, bytes] = {}
        self._is_on = False
        self._hook = self._event  # one object, so that its identity can be compared

    def add(self, code: CodeType) -> None:
        """Do nothing: new code objects need no setup."""

    def start(self) -> None:
        """Enable events. Raises RuntimeError if another profiler is active."""
        if sys.getprofile() is not None:
            raise RuntimeError("another profiler is at work")
        self._is_on = True
        threading.setprofile(self._hook)
        sys.setprofile(self._hook)

    def stop(self) -> None:
        """Disable events; other threads notice at their next event."""
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
        if not info.is_generator or self._is_first_call(info, code, frame.f_lasti):
            self._stacks.start(code, frame.f_lasti)
        else:
            self._stacks.resume(code, frame.f_lasti)

    def _is_first_call(self, info: CodeInfo, code: CodeType, at: int) -> bool:
        """Return whether a generator begins rather than resumes."""
        if at < 0:
            return True
        instructions = self._instructions_of(info, code)
        return instructions[at] == _RESUME and instructions[at + 1] == 0

    def _return(self, info: CodeInfo, code: CodeType, frame: FrameType, value: Any) -> None:
        at = frame.f_lasti
        instructions = self._instructions_of(info, code)
        instruction = instructions[at] if at >= 0 else -1
        # Python 3.10 is_generator back before a YIELD_FROM that yields, to do it again.
        next_instruction = instructions[at + _WIDTH] if at + _WIDTH < len(instructions) else -1
        if instruction == _RETURN:
            self._stacks.return_(code, at, value)
        elif instruction == _YIELD or next_instruction == _YIELD_FROM:
            self._stacks.yield_(code, at, value)
        else:
            self._stacks.unwind(code, at, None)

    def _instructions_of(self, info: CodeInfo, code: CodeType) -> bytes:
        found = self._instructions.get(info)
        if found is None:
            found = self._instructions[info] = code.co_code
        return found
