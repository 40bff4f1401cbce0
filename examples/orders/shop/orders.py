"""Orders, each line of which is reserved by its own task."""

from __future__ import annotations

import asyncio

from shop import stock


async def place(customer: str, items: list[int]) -> str:
    """Reserve the items for a customer; return the outcome."""
    lines = [asyncio.create_task(reserve(item)) for item in items]
    try:
        names = await asyncio.gather(*lines)
    except stock.LockedError as locked:
        return f"{customer}: no order, {locked}"
    return f"{customer}: ordered {', '.join(names)}"


async def reserve(item: int) -> str:
    return await stock.find(item)
