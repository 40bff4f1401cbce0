"""Example shop that takes orders and sends offers; with the argument load, until it is stopped.

Every order and every offer is an asyncio task, and so is each line of an order. Both look up
items in the same stock, which fails for one item: which call chain was it?
"""

from __future__ import annotations

import asyncio
import sys

from shop import offers, orders


async def main() -> None:
    if sys.argv[1:] == ["load"]:
        await asyncio.gather(*(client(number) for number in range(4)))
    for customer in ("ada", "grace"):
        print(await orders.place(customer, [7, 9]))
        print(await offers.send(customer, 7))
    print(await orders.place("edsger", [7, 13]))


async def client(number: int) -> None:
    """Order and request offers forever; one item in twenty is locked."""
    while True:
        await orders.place(f"client {number}", [number % 10, number % 20])
        await offers.send(f"client {number}", number % 10)
        number += 1


if __name__ == "__main__":
    asyncio.run(main())
