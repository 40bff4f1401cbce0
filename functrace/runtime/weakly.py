"""Values that are kept for objects as long as these live."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from functrace.runtime import BUILTINS

globals()["__builtins__"] = BUILTINS

_V = TypeVar("_V")


class Weakly(Generic[_V]):
    """A mapping by identity: hashing an object may run code of the program.

    Args:
        gone: is told the value of an object that is gone.
    """

    def __init__(self, gone: Callable[[_V], None] | None = None) -> None:
        self._values: dict[int, tuple[weakref.ref[object], _V]] = {}
        self._gone = gone

    def get(self, key: object) -> _V | None:
        """The value for an object."""
        found = self._values.get(id(key))
        return found[1] if found is not None and found[0]() is key else None

    def put(self, key: object, value: _V) -> bool:
        """Keep a value for an object; returns whether it can be referred to weakly."""
        address = id(key)

        def forget(reference: weakref.ref[object]) -> None:
            found = self._values.get(address)
            if found is not None and found[0] is reference:
                del self._values[address]
                if self._gone is not None:
                    self._gone(found[1])

        try:
            self._values[address] = weakref.ref(key, forget), value
        except TypeError:
            return False
        return True
