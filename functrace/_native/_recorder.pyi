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

def get_attribute(thing: object, name: str) -> Any:
    """Return the attribute stored in a slot or the dictionary of ``thing``, or None.

    No code of the program runs.
    """

class TraceContext:
    """What the trace headers of a request contain.

    A header whose value is not printable ASCII, or longer than 4,096 bytes, counts as absent.
    """

    ids: bytes
    """trace id and span id, 16 and 8 bytes; empty if there are none"""
    ft: bytes
    """key of the process and number of the outbound call that sent the request, 8 bytes each,
    little-endian; empty if unknown"""
    is_sampled: bool
    """the caller records the trace"""
    traceparent: str
    """the value, if it is valid; else empty"""
    tracestate: str
    """the value, if traceparent is valid; else empty"""
    members: list[str] | None
    """the members of tracestate, at most 32; None if they are not valid"""
    b3: str
    """the value, if it is valid; else empty"""
    multi: dict[str, str]
    """the valid headers of B3 with several headers, by name"""

def parse_headers(headers: Any, /) -> TraceContext:
    """Return what the headers of a request contain; the same object if there are no trace headers.

    headers: a list or tuple of pairs of str or bytes, in the order of arrival, or the environment
    of a WSGI request.
    """

def wsgi_request(environ: Any, /) -> tuple[str, str] | None:
    """Return method and target of the environment of a WSGI request; None if it is none."""

def to_status(value: Any, /) -> int:
    """Return the status of a response, a number or such as '200 OK'; -1 if it is none."""

def guard(
    function: Callable[..., Any], report: Callable[[Exception], None], begins: bool, /
) -> Any:
    """Return a callable that calls ``function`` unseen and does not fail by itself.

    An exception that a handler of a signal raises meanwhile passes through, and a request that the
    function has begun by then is ended. Any other failure is reported, and the callable returns
    None. With ``begins`` it does nothing while calls are not recorded.
    """

def around(
    original: Callable[..., Any],
    before: Callable[..., Any] | None,
    after: Callable[[Any, Any, BaseException | None], None] | None,
    report: Callable[[Exception], None],
    begins: bool,
    /,
) -> Any:
    """Return a callable that calls ``original`` between two hooks, each as if by guard().

    before is called with the arguments of the call, and returns the call's state: without it, that
    is the first argument. after is called with the state, unless that is None, and with the result
    and the exception, one of them None. If a handler of a signal interrupts it, it is called again.

    The callable binds, and has the attributes, as the original; __wrapped__ is the original.
    """

class Inbound:
    """Inbound call."""

    number: int
    """its number in the process; 0 once it has ended"""
    protocol: int
    """1 HTTP, 2 gRPC"""
    method: str
    """the method of HTTP, or empty"""
    context: TraceContext
    status: int
    """the status of its response; -1 if unknown"""
    own_ids: bytes
    """trace id and span id, if functrace makes them; else empty"""
    route: str
    """the framework's name for its path; empty if unknown"""
    error: BaseException | None
    """an exception that ended it"""
    environ: Any
    """where its framework left the request (ASGI), or None"""
    owner: Any
    """the object of the library that handles it, or None"""

def begin_inbound(
    recorder: Recorder,
    function: int,
    protocol: int,
    context: TraceContext,
    method: str,
    own_ids: bytes,
    /,
) -> Inbound | None:
    """Begin an inbound call on this thread's track, which becomes that of the current context.

    Returns None if it is not recorded. function as add_request_function() returned it; own_ids:
    b"", or 16 bytes trace id and 8 bytes span id, which count if the context has none.
    """

def end_inbound(
    recorder: Recorder | None,
    inbound: Inbound,
    status: int,
    route: int,
    failure: str | BaseException | None,
    /,
) -> None:
    """End an inbound call, as end_request() does; once only."""

def current_inbound() -> Inbound | None:
    """Return the inbound call of the current context, which may have ended, or None."""

def find_inbound(number: int, /) -> Inbound | None:
    """Return the open inbound call of that number, or None."""

def forget_inbounds() -> None:
    """End all open inbound calls without recording it: they are those of an earlier recorder."""

def note_status(owner: Any, /) -> None:
    """Note the ``status`` stored in the owner of the current inbound call, if it is that."""

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
