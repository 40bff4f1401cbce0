"""Names, metadata and codes of gRPC, as the library stores them."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests.parts import get_attribute
from functrace.runtime.requests.patching import to_text

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Outbound

globals()["__builtins__"] = BUILTINS


def method_name(method: Any) -> str:
    """Return the full name of a method: 'store.Store/Get'."""
    return to_text(method).lstrip("/")


def code_of(code: Any) -> int:
    """Return the number of a grpc.StatusCode or of a code in C; 0 if there is none."""
    value = get_attribute(code, "_value_")
    if type(value) is tuple and value:
        code = value[0]
    return int.__index__(code) if issubclass(type(code), int) else 0


def with_metadata(metadata: Any, outbound: Outbound | None) -> Any:
    """Return metadata with the headers of an outbound call, or itself if there are none."""
    if outbound is None or not outbound.headers:
        return metadata
    if metadata is None or type(metadata) in (tuple, list):
        return (*(metadata or ()), *outbound.headers)
    return metadata  # an iterator of the program
