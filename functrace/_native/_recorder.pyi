"""Recorder of calls into a trace file; functrace/runtime/recorder_python.py is its fallback.

The process has one recorder at a time: a second Recorder may be made after close() or abandon() of
the first. Code objects passed to add() and watch() remain registered for later ones.

An exception is described by its type, with the module where that is neither builtins nor __main__,
and ": " and its text, if that is not empty: "json.decoder.JSONDecodeError: Expecting value". The
text is UTF-8 ("backslashreplace"), of what is exactly str, bytes, int, float, bool or None, where
no int has more than 128 bits, and str and bytes are not longer than 65,536 together. It is the
first of these that can be had and is not empty:

- its str(), where the type's __str__ is that of BaseException, KeyError, OSError, ImportError,
  SyntaxError, a Unicode error or BaseExceptionGroup, and what that makes it of is such
- the str() that BaseException would give, where args are such
- the attributes that it has of its own, but for None and names with an underscore in front, each
  that is such: "HTTPException: status_code=404, detail='Not Found'"

200 bytes of the whole are kept.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any

Origin = tuple[int, int, int, int]
"""position from current_origin(): track, function's number or 0, line or 0, ticks"""

THREAD = 2
TASK = 3

def clock() -> str:
    """Return the name of the clock of ticks, for the facts.

    Measures it at the first call, which takes about half a millisecond; so does the first Recorder.
    """

def has_budget() -> bool:
    """Return whether this recorder can keep a budget."""

def hide(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callable that calls ``function`` unseen by the program's tracers and profilers.

    It has the function's attributes.
    """

class Recorder:
    path: str
    """absolute"""
    failed: bool
    """the file accepts no more, permanently; reported once, and recording has stopped"""

    def __init__(
        self,
        path: str,
        *,
        max_size: int,
        overwrite: bool,
        depth: int,
        min_duration: int,
        facts: bytes,
        budget: float,
        describe_thread: Callable[[], tuple[bool, str, Origin | None]],
        current_task_track: Callable[[], int],
        warn: Callable[[str], None],
    ) -> None:
        """Make the file, which must not exist, and write its header and facts.

        max_size in bytes, min_duration in nanoseconds, depth in levels (at least 1; sys.maxsize for
        all), facts as JSON of at most 30,000 bytes, budget as a share of the CPU time, 0 for none.

        describe_thread() is called in each thread before its first event: whether it is the main
        thread, which gets the number 1, its name, and what started it. current_task_track() is
        called after each change of context (of tstate->context_ver; in the fallback: at each
        event): the number of the track of the task that runs in this thread, 0 for none. warn()
        gets each message for standard error once, less "functrace: ": for example "the trace has
        reached FUNCTRACE_MAX_SIZE; tracing is off".

        These three, and what watch() is given, are called while the program runs, in its threads.
        Calls that they make are not recorded, and the program's trace and profile functions do not
        see them. An Exception that they raise themselves is dropped. What a signal's handler raises
        meanwhile is the program's and passes through, without their frames in its traceback.

        Raises FileExistsError where there is such a file, another OSError where it cannot be made,
        ValueError where max_size is too small or the facts too long, RuntimeError if a
        recorder is already active.
        """

    def add(self, code: CodeType, name: str, file: str, line: int) -> None:
        """Record the calls of a code object while started, from its next one on.

        A code object that was added already keeps its name. The code object is not kept alive. The
        function is written to the file before its first event, so that one that is never called
        leaves no trace.
        """

    def watch(
        self,
        code: CodeType,
        started: Callable[[object], None] | None,
        returned: Callable[[object], None] | None,
    ) -> None:
        """Call back while started, at each call of a code object that is no generator's.

        started gets the call's first argument, returned its result, or None where an exception
        passes through. If the code object was added as well, its calls are recorded, too:
        started comes before the entry, returned after the exit.
        """

    def add_request_function(self, name: str, direction: int, protocol: int) -> int:
        """Add a function that stands for requests. Returns its index, the same in later recorders.

        It is written to the file before its first request. direction: 1 inbound, 2 outbound;
        protocol: 1 HTTP, 2 gRPC.
        """

    def begin_request(
        self, function: int, flags: int, inbound: int, ids: bytes, ft: bytes, track: int = 0, /
    ) -> int:
        """Begin a request on this thread's track. Returns its number, 0 if it is not recorded.

        track: one that new_track() returned, for a request that does not end before the calls that
        begin after it; 0 for this thread's.

        function as add_request_function() returned it; flags: the value of the request record;
        inbound, of an outbound call: the number of the inbound call that it belongs to, 0 if that
        is unknown; ids: b"", or 16 bytes trace id and 8 bytes span id; ft: b"", or the key of a
        process and a request's number, 8 bytes each, little-endian. Requests are never demoted, and
        are written at once, whatever min_duration is.
        """

    def end_request(
        self, number: int, status: int, route: int, failure: str | BaseException | None, /
    ) -> None:
        """End a request, and the calls inside it that are still open.

        status: bits 0-16 of the status record, -1 for none; route: the index of a request function,
        0 for none; failure: what the request failed with.
        """

    def open_inbound(self) -> int:
        """Return the number of the innermost inbound call open on this thread's track, or 0."""

    def current_origin(self) -> Origin:
        """Return this thread's track, innermost function, current line and ticks."""

    def new_track(self, kind: int, name: str, parent: Origin | None) -> int:
        """Create a track and return its number; its record is written with its first event.

        It starts at its parent's ticks, or with its first event.
        """

    def release_track(self, track: int) -> None:
        """Release a track that has ended: its chunk writer is reused.

        If it has another event all the same, it goes on under its number, without a name. The
        tracks of threads are let go of by themselves.
        """

    def thread_track(self) -> int:
        """Return the number of this thread's own track."""

    def switch_track(self, track: int) -> int:
        """Switch this thread to another track, or with 0 to its own.

        Returns the one before in the same way. Where current_task_track() returns a task, the
        task's track comes first.
        """

    def start(self) -> None:
        """Start recording calls; calls that are already open are ignored.

        Raises RuntimeError where sys.monitoring has no tool id left. Nothing happens where it has
        been started, has failed or is closed.
        """

    def stop(self) -> None:
        """Stop recording calls and undo everything that costs time.

        Of the calls that are open, those that are still open at the next start go on; the others
        get an exit at the time of stop().
        """

    def snapshot(self, path: str) -> None:
        """Write what is recorded so far to a file, as a trace. Raises OSError."""

    def close(self) -> None:
        """Stop permanently, and mark the trace as that of a program that has run to its end."""

    def abandon(self) -> None:
        """Stop permanently without writing to the file, which belongs to the parent of a fork.

        The next Recorder goes on with the forking thread's open calls, as begun at its start.
        That thread gets the number 1; other tracks keep their numbers.
        """
