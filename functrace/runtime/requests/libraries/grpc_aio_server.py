"""Inbound calls of gRPC's asyncio server, recorded by an interceptor in front of the program's."""

from __future__ import annotations

from functrace.runtime import BUILTINS, MODULES
from functrace.runtime.requests.grpc_names import code_of, method_name
from functrace.runtime.requests.patching import around_async, remove_frame, replace
from functrace.runtime.requests.request_functions import GRPC

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace._native._recorder import Inbound
    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


_UNKNOWN = 2
_ABORT = "AbortError"  # what context.abort() raises, with a code of the program's


def install(tracker: Tracker, module: Any) -> None:
    """Hook the server, which gets one more interceptor."""
    hooks = _Hooks(tracker)

    class Interceptor(module.ServerInterceptor):  # type: ignore[misc]
        async def intercept_service(self, continuation: Any, details: Any) -> Any:
            handler = await continuation(details)
            return hooks.wrap_handler(handler, details) or handler

    def make(original: Any) -> Any:
        def __init__(  # noqa: N807  it replaces that method
            self: Any,
            thread_pool: Any,
            generic_handlers: Any,
            interceptors: Any,
            *arguments: Any,
            **options: Any,
        ) -> None:
            mine = (Interceptor(), *(interceptors or ()))
            original(self, thread_pool, generic_handlers, mine, *arguments, **options)

        return __init__

    replace(module.Server, "__init__", make)


class _Hooks:
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self.wrap_handler = tracker.guard(self._wrap_handler)
        self._guarded_end = tracker.guard(self._end)

    def _wrap_handler(self, handler: Any, details: Any) -> Any:
        """Return a handler like another one, which records its calls; None if it cannot be."""
        if type(handler).__name__ != "RpcMethodHandler":
            return None
        for name in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
            behavior = getattr(handler, name)
            if behavior is not None:
                wrapped = self._wrap(behavior, details, name.endswith("_stream"))
                return None if wrapped is None else handler._replace(**{name: wrapped})
        return None

    def _wrap(self, behavior: Any, details: Any, is_stream: bool) -> Any:
        def begin(_request: Any, context: Any) -> Any:
            metadata = tuple(details.invocation_metadata or ())
            request = "", method_name(details.method)
            inbound = self._tracker.begin_inbound(request, metadata, GRPC)
            return None if inbound is None else (inbound, context)

        # The library asks the same, so that a handler stays of its kind.
        inspect: Any = MODULES["inspect"]
        guard = self._tracker.guard
        if inspect.iscoroutinefunction(behavior):
            return around_async(guard(begin, begins=True), self._guarded_end)(behavior)
        if inspect.isasyncgenfunction(behavior):
            return _around_generator(guard(begin, begins=True), self._guarded_end)(behavior)
        # The steps of a generator run in any threads, without a context: not recorded.
        around = self._tracker.around(begin, self._end, begins=True)
        return None if is_stream else around(behavior)

    def _end(self, rpc: tuple[Inbound, Any], _result: object, error: BaseException | None) -> None:
        inbound, context = rpc
        # A function that runs in a thread has a context without the status code.
        code = code_of(context.code()) if hasattr(context, "code") else -1
        is_abort = code < 0 and type(error).__name__ == _ABORT
        if error is not None and code <= 0 and not is_abort:
            code = _UNKNOWN
            inbound.error = error
        inbound.status = code
        self._tracker.end_inbound(inbound)


def _around_generator(before: Any, after: Any) -> Any:
    """Return a function that wraps an asynchronous generator, as around_async does a coroutine."""

    def make(behavior: Any) -> Any:
        async def serve(*arguments: Any) -> Any:
            state = before(*arguments)
            try:
                responses = behavior(*arguments)
                try:
                    async for response in responses:
                        yield response
                finally:
                    await responses.aclose()  # the end of a call closes the outer one only
            except BaseException as error:
                if state is not None:
                    after(state, None, error)
                remove_frame(error)
                raise
            if state is not None:
                after(state, None, None)

        return serve

    return make
