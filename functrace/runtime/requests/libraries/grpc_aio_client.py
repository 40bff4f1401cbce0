"""Outbound calls of gRPC's asyncio client, each on a track of its own until it ends."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests.grpc_names import method_name
from functrace.runtime.requests.patching import remove_frame, replace
from functrace.runtime.requests.request_functions import GRPC

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


_CALLS = ("UnaryUnaryCall", "UnaryStreamCall", "StreamUnaryCall", "StreamStreamCall")


def install(tracker: Tracker, module: Any) -> None:
    """Hook the classes of calls."""

    def begin(metadata: Any, method: Any) -> Any:
        # The class of metadata is the library's.
        sent = tuple(metadata or ())
        return tracker.begin_outbound("", "", method_name(method), sent, GRPC, on_own_track=True)

    def end(outbound: Any, error: BaseException) -> None:
        tracker.end_outbound(outbound, -1, error)

    def end_later(outbound: Any, call: Any) -> None:
        call.add_done_callback(lambda done: finish(outbound, done))

    def finish(outbound: Any, call: Any) -> None:
        tracker.end_outbound(outbound, _code(call))

    finish = tracker.guard(finish)
    wrap = _init(tracker.guard(begin, begins=True), tracker.guard(end), tracker.guard(end_later))
    for name in _CALLS:
        replace(vars(module)[name], "__init__", wrap)


def _init(begin: Any, end: Any, end_later: Any) -> Any:
    def make(original: Any) -> Any:
        def __init__(  # noqa: N807  it replaces that method
            self: Any,
            request: Any,
            deadline: Any,
            metadata: Any,
            credentials: Any,
            wait_for_ready: Any,
            channel: Any,
            method: Any,
            *arguments: Any,
            **options: Any,
        ) -> None:
            outbound = begin(metadata, method)
            if outbound is not None and outbound.headers:
                metadata = (*(metadata or ()), *outbound.headers)
            own = request, deadline, metadata, credentials, wait_for_ready, channel, method
            try:
                original(self, *own, *arguments, **options)
            except BaseException as error:
                end(outbound, error)
                remove_frame(error)
                raise
            if outbound is not None:
                end_later(outbound, self)

        return __init__

    return make


def _code(call: Any) -> int:
    """Return the code of a call that has ended: its status is there without waiting."""
    status = call._cython_call.status()
    try:
        status.send(None)
    except StopIteration as ended:
        return int(ended.value.code())
    finally:
        status.close()
    return -1
