"""Outbound calls of gRPC's blocking client.

A call that answers at once, as a future or a stream, has a track of its own until it ends.
"""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests.grpc_names import (
    code_of,
    method_name,
    with_metadata,
)
from functrace.runtime.requests.parts import get_attribute
from functrace.runtime.requests.patching import remove_frame, replace
from functrace.runtime.requests.request_functions import GRPC

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from functrace.runtime.requests.tracker import Outbound, Tracker

globals()["__builtins__"] = BUILTINS


_BLOCKING = ("_UnaryUnaryMultiCallable", "_StreamUnaryMultiCallable")
_STREAMING = (
    "_SingleThreadedUnaryStreamMultiCallable",
    "_UnaryStreamMultiCallable",
    "_StreamStreamMultiCallable",
)


def install(tracker: Tracker, module: Any) -> None:
    """Hook the objects that call a method."""
    hooks = _Hooks(tracker)
    for name in _BLOCKING:
        replace(vars(module)[name], "_blocking", hooks.blocking)
        replace(vars(module)[name], "future", hooks.answering)
    for name in _STREAMING:
        replace(vars(module)[name], "__call__", hooks.answering)


class _Hooks:
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._begin = tracker.guard(self.begin, begins=True)
        self._end = tracker.guard(self.end)
        self._end_now = tracker.guard(self.end_now)
        self._end_later = tracker.guard(self.end_later)

    def begin(self, method: Any, metadata: Any, is_blocking: bool) -> Outbound | None:
        """Begin an outbound call."""
        name = method_name(get_attribute(method, "_method"))

        outbound: Outbound | None = self._tracker.begin_outbound(
            "", "", name, metadata, GRPC, on_own_track=not is_blocking
        )
        return outbound

    def end(self, outbound: Outbound, state: Any, error: BaseException | None) -> None:
        """End an outbound call, whose state of the RPC is complete."""
        if error is not None:
            self._tracker.end_outbound(outbound, -1, error)
        else:
            self._tracker.end_outbound(outbound, code_of(get_attribute(state, "code")))

    def end_later(self, outbound: Outbound, call: Any) -> None:
        """End an outbound call when the RPC ends."""
        state = get_attribute(call, "_state")

        def done() -> None:
            self._end(outbound, state, None)

        if not call.add_callback(done):
            done()

    def end_now(self, outbound: Outbound, result: Any) -> None:
        """End an outbound call whose RPC has ended, with its state first in the result."""
        self.end(outbound, result[0], None)

    def blocking(self, original: Any) -> Any:
        """Wrap a method that returns the state of an RPC that has ended."""
        return self._wrap(original, True, self._end_now)

    def answering(self, original: Any) -> Any:
        """Wrap a method that returns an RPC that goes on."""
        return self._wrap(original, False, self._end_later)

    def _wrap(self, original: Any, is_blocking: bool, end: Callable[..., None]) -> Any:
        begin, fail = self._begin, self._end

        def wrapper(
            self: Any,
            request: Any,
            timeout: Any = None,
            metadata: Any = None,
            *arguments: Any,
            **options: Any,
        ) -> Any:
            outbound = begin(self, metadata, is_blocking)
            metadata = with_metadata(metadata, outbound)
            try:
                result = original(self, request, timeout, metadata, *arguments, **options)
            except BaseException as error:
                if outbound is not None:
                    fail(outbound, None, error)
                remove_frame(error)
                raise
            if outbound is not None:
                end(outbound, result)
            return result

        return wrapper
