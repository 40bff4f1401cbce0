"""Inbound calls of gRPC's server with threads."""

from __future__ import annotations

import sys

from functrace.runtime import BUILTINS
from functrace.runtime.requests.grpc_names import code_of, method_name
from functrace.runtime.requests.parts import get_attribute
from functrace.runtime.requests.patching import replace
from functrace.runtime.requests.request_functions import GRPC

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace._native._recorder import Inbound
    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


_IN_POOL = ("_unary_response_in_pool", "_stream_response_in_pool")


def install(tracker: Tracker, module: Any) -> None:
    """Hook the functions that run in the pool, and the one that ends an RPC with an error."""

    def begin(event: Any, state: Any, *_arguments: Any) -> Any:
        details = event.call_details  # the event is an object in C
        metadata = tuple(event.invocation_metadata or ())
        inbound = tracker.begin_inbound(("", method_name(details.method)), metadata, GRPC)
        return None if inbound is None else (inbound, state)

    def end(rpc: tuple[Inbound, Any], _result: object, error: BaseException | None) -> None:
        inbound, state = rpc
        inbound.error = error if inbound.error is None else inbound.error
        if inbound.status < 0:
            inbound.status = code_of(get_attribute(state, "code"))
        tracker.end_inbound(inbound)

    def note_abort(state: Any, _call: Any, code: Any, *_arguments: Any) -> None:
        tracker.note("status", code_of(get_attribute(state, "code")) or code_of(code))
        error = sys.exc_info()[1]
        if error is not None and get_attribute(state, "aborted") is not True:
            tracker.note("error", error)

    for name in _IN_POOL:
        replace(module, name, tracker.around(begin, end, begins=True))
    replace(module, "_abort", tracker.around(note_abort))
