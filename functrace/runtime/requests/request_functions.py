"""Request functions: the functions of the trace that stand for a request's name."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests import names

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

globals()["__builtins__"] = BUILTINS

HTTP, GRPC = 1, 2
INBOUND, OUTBOUND = 1, 2
_MAX_CACHED, _MAX_CACHED_SIZE = 4096, 1024  # requests that are kept, and their characters


class RequestFunctions:
    """Request functions by method, host and target.

    Args:
        keeps_urls: whether names contain paths and queries as they are.

    Attributes:
        inbound: indices by method and target, for a quick look-up.
        recorder: the recorder that they are added to.
    """

    def __init__(self, *, keeps_urls: bool) -> None:
        self.inbound: dict[tuple[str, str], int] = {}
        self.recorder: Any = None
        self._keeps_urls = keeps_urls
        self._outbound: dict[tuple[str, str, str], int] = {}
        self._named: dict[tuple[int, int, str], int] = {}

    def for_inbound(self, request: tuple[str, str], protocol: int) -> int:
        """Return the index of the function of a method and target."""
        index = self.inbound.get(request)
        if index is None:
            method, target = request
            index = self.named(INBOUND, protocol, self._name(method, "", target, protocol))
            _keep(self.inbound, request, index)
        return index

    def for_outbound(self, host: str, method: str, target: str, protocol: int) -> int:
        """Return the index of the function of a host's method and target."""
        key = host, method, target
        index = self._outbound.get(key)
        if index is None:
            name = self._name(method, names.host_name(host), target, protocol)
            index = self.named(OUTBOUND, protocol, name)
            _keep(self._outbound, key, index)
        return index

    def named(self, direction: int, protocol: int, name: str) -> int:
        """Return the index of the function with that name, or of the one for other names."""
        key = direction, protocol, name
        index = self._named.get(key)
        if index is None and len(self._named) >= names.MAX_NAMES:
            key = direction, protocol, f"{name.partition(' ')[0]} {names.OTHER}"
            index = self._named.get(key)
        if index is None:
            index = self.recorder.add_request_function(key[2], direction, protocol)
            self._named[key] = index
        return index

    def _name(self, method: str, host: str, target: str, protocol: int) -> str:
        if protocol == GRPC:
            return names.request_name("grpc", "", names.full_target(target.lstrip("/")))
        path = names.full_target(target) if self._keeps_urls else names.path_shape(target)
        return names.request_name(names.method_name(method), host, path)


def _keep(cache: dict[Any, int], key: tuple[str, ...], index: int) -> None:
    if len(cache) >= _MAX_CACHED:
        cache.clear()
    if sum(map(len, key)) <= _MAX_CACHED_SIZE:
        cache[key] = index
