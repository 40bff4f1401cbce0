"""Stock of items."""

from __future__ import annotations

import asyncio


class LockedError(Exception):
    """The item is locked for stock-taking."""


async def find(item: int) -> str:
    """Return the name of an item."""
    await asyncio.sleep(0.001)  # stands for a query
    check(item)
    return f"item {item}"


def check(item: int) -> None:
    if item == 13:
        raise LockedError(f"item {item} is locked")
