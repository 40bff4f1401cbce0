"""What each request runs through: parts of the recorder in C, or their fallbacks in Python.

functrace/_native/_recorder.pyi documents them.
"""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.native import NATIVE

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = BUILTINS

if NATIVE is not None:
    _parts: Any = NATIVE
else:
    from functrace.runtime.requests import parts_python as _parts

get_attribute: Callable[[Any, str], Any] = _parts.get_attribute
parse_headers: Callable[[Any], Any] = _parts.parse_headers
wsgi_request: Callable[[Any], tuple[str, str] | None] = _parts.wsgi_request
to_status: Callable[[Any], int] = _parts.to_status
guard: Callable[..., Any] = _parts.guard
around: Callable[..., Any] = _parts.around
begin_inbound: Callable[..., Any] = _parts.begin_inbound
end_inbound: Callable[..., None] = _parts.end_inbound
current_inbound: Callable[[], Any] = _parts.current_inbound
find_inbound: Callable[[int], Any] = _parts.find_inbound
forget_inbounds: Callable[[], None] = _parts.forget_inbounds
note_status: Callable[[Any], None] = _parts.note_status

NO_CONTEXT: Any = parse_headers(())  # that of a request without trace headers
