"""Values that are kept for objects as long as these live."""

from __future__ import annotations

from _weakref import ref

from functrace.runtime import BUILTINS
from functrace.runtime.native import hide

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = BUILTINS


class _Reference(ref):  # type: ignore[type-arg]
    """A weak reference to a key, and the key's address."""

    __slots__ = ("address",)

    address: int


class WeakIdentityMap:
    """A mapping by identity: hashing an object may run code of the program.

    Args:
        gone: called with the value of an object that is gone.
    """

    def __init__(self, gone: Callable[[Any], None] | None = None) -> None:
        self._values: dict[int, tuple[_Reference, Any]] = {}
        self._gone = gone
        self._forget = hide(self._remove)  # the collector may run it anywhere in the program

    def get(self, key: object) -> Any:
        """Return the value for an object, or None."""
        found = self._values.get(id(key))
        return found[1] if found is not None and found[0]() is key else None

    def put(self, key: object, value: object) -> bool:
        """Keep a value for an object; returns whether it can be referred to weakly."""
        try:
            reference = _Reference(key, self._forget)
        except TypeError:
            return False
        reference.address = id(key)
        self._values[reference.address] = reference, value
        return True

    def _remove(self, reference: _Reference) -> None:
        found = self._values.get(reference.address)
        if found is not None and found[0] is reference:
            del self._values[reference.address]
            if self._gone is not None:
                self._gone(found[1])
