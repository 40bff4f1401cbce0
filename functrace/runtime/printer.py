"""Text output: prints a line for every entry and exit of a call.

    t[01]:	->shop.orders.sell

A line consists of the track's number, a tab for every level, an arrow, and the function's full
name. Each line is handed to the system before the call proceeds, so that no line is lost and lines
never mix.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType

from functrace.runtime import BUILTINS
from functrace.runtime.call_stacks import Call, CallStacks, DescribeThread, Origin, Track
from functrace.runtime.code_info import Callback, CodeInfo, get_code_info
from functrace.runtime.escaping import escape
from functrace.runtime.event_source import EventSource, make_event_source
from functrace.runtime.system import clock
from functrace.runtime.text_output import open_output

globals()["__builtins__"] = BUILTINS


class Printer:
    """Counterpart of Recorder for text output.

    Args:
        out: stdout, stderr, or the path of a file to append to.
        max_size: the size limit of a file, in bytes.
        depth: the maximum number of levels that are printed.
        describe_thread, current_task_track, warn: as for Recorder.

    Raises:
        OSError: the file cannot be opened.
    """

    path = ""

    def __init__(
        self,
        out: str,
        *,
        max_size: int,
        depth: int,
        describe_thread: DescribeThread,
        current_task_track: Callable[[], int],
        warn: Callable[[str], None],
    ) -> None:
        self.failed = False
        self._depth = depth
        self._warn = warn
        self._stacks = CallStacks(self, describe_thread, current_task_track)
        self._source: EventSource = make_event_source(self._stacks, self._fail)
        self._output = open_output(out, max_size, warn)

    def add(self, code: CodeType, name: str, file: str, line: int) -> None:
        """Print the calls of a code object while started."""
        info = get_code_info(code)
        info.name, info.file, info.line, info.is_traced = escape(name), file, line, True
        self._source.add(code)

    def watch(self, code: CodeType, started: Callback | None, returned: Callback | None) -> None:
        """Call back at each call of a code object while started."""
        info = get_code_info(code)
        info.on_call, info.on_return = started, returned
        self._source.add(code)

    def current_origin(self) -> Origin:
        """Return this thread's track, innermost function, line and time."""
        return self._stacks.current_origin()

    def new_track(self, kind: int, name: str, parent: Origin | None) -> int:
        """Create a track and return its number."""
        return self._stacks.new_track(kind, name, parent)

    def release_track(self, track: int) -> None:
        """Release a track that has ended."""
        self._stacks.release_track(track)

    def thread_track(self) -> int:
        """Return the number of this thread's own track."""
        return self._stacks.thread_track()

    def switch_track(self, track: int) -> int:
        """Switch this thread to another track, or with 0 to its own."""
        return self._stacks.switch_track(track)

    def start(self) -> None:
        """Start printing calls."""
        if not self.failed:
            self._source.start()

    def stop(self) -> None:
        """Stop printing calls."""
        self._source.stop()

    def snapshot(self, _path: str) -> None:
        """Raise ValueError, because there is no trace."""
        raise ValueError("nothing is being recorded")

    def close(self) -> None:
        """Stop permanently."""
        self.stop()
        self._output.close()

    # Events of calls

    def now(self) -> int:
        """Return the time in ticks."""
        return clock()

    def number(self, _info: CodeInfo) -> int:
        """Return 0: functions have no numbers in text output."""
        return 0

    def enter(self, track: Track, call: Call) -> None:
        """Print the entry of a call."""
        self._print(track, "->", call, len(track.stack) + 1)

    def leave(self, track: Track, call: Call, _failure: bytes | None) -> None:
        """Print the exit of a call."""
        self._print(track, "<-", call, len(track.stack))

    def suspend(self, _track: Track) -> None:
        """Print nothing."""

    resume = suspend

    def _print(self, track: Track, arrow: str, call: Call, level: int) -> None:
        if level > self._depth or self.failed:
            return
        line = f"t[{track.id:02}]:" + "\t" * level + arrow + call.info.name + "\n"
        try:
            self._output.write(line.encode())
        except BrokenPipeError:  # the reader has closed the pipe
            self.failed = True
            self.stop()
        except OSError as error:
            self._fail(f"cannot write: {error}")

    def _fail(self, why: str) -> None:
        self.failed = True
        self.stop()
        self._warn(f"{why}; tracing is off")
