"""Values that are kept for objects as long as these live."""

from __future__ import annotations

from _weakref import ref

from functrace.runtime import BUILTINS

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = BUILTINS


class Weakly:
    """A mapping by identity: hashing an object may run code of the program.

    Args:
        gone: is told the value of an object that is gone.
    """

    def __init__(self, gone: Callable[[Any], None] | None = None) -> None:
        self._values: dict[int, tuple[ref[object], Any]] = {}
        self._gone = gone

    def get(self, key: object) -> Any:
        """The value for an object, or None."""
        found = self._values.get(id(key))
        return found[1] if found is not None and found[0]() is key else None

    def put(self, key: object, value: object) -> bool:
        """Keep a value for an object; returns whether it can be referred to weakly."""
        address = id(key)

        def forget(reference: ref[object]) -> None:
            found = self._values.get(address)
            if found is not None and found[0] is reference:
                del self._values[address]
                if self._gone is not None:
                    self._gone(found[1])

        try:
            self._values[address] = ref(key, forget), value
        except TypeError:
            return False
        return True
