"""Map from objects to values that does not keep the objects alive."""

from __future__ import annotations

from _weakref import ref

from functrace.runtime import BUILTINS
from functrace.runtime.native import hide

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = BUILTINS


class _Reference(ref):  # type: ignore[type-arg]
    """Weak reference to a key, with the key's address."""

    __slots__ = ("address",)

    address: int


class WeakIdentityMap:
    """Map by identity, because hashing an object may run program code.

    Args:
        on_removal: called with the value of a key that was destroyed.
    """

    def __init__(self, on_removal: Callable[[Any], None] | None = None) -> None:
        self._values: dict[int, tuple[_Reference, Any]] = {}
        self._on_removal = on_removal
        self._remove_reference = hide(
            self._remove
        )  # the garbage collector may call it anywhere in the program

    def get(self, key: object) -> Any:
        """Return the value of an object, or None."""
        found = self._values.get(id(key))
        return found[1] if found is not None and found[0]() is key else None

    def put(self, key: object, value: object) -> bool:
        """Store a value for an object; return whether it supports weak references."""
        try:
            reference = _Reference(key, self._remove_reference)
        except TypeError:
            return False
        reference.address = id(key)
        self._values[reference.address] = reference, value
        return True

    def _remove(self, reference: _Reference) -> None:
        found = self._values.get(reference.address)
        if found is not None and found[0] is reference:
            del self._values[reference.address]
            if self._on_removal is not None:
                self._on_removal(found[1])
