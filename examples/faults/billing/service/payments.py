"""Payments through a gateway."""

import asyncio
import zlib

from service import faults


class DeclinedError(ValueError):
    """The gateway or the card refuses a payment."""


async def charge(card, cents):
    """Take money from a card."""
    verify(card)
    await authorize(card, cents, faults.hits("decline"))


async def refund(card, cents):
    """Give money back."""
    await authorize(card, -cents, False)


def verify(card):
    """Reject one card in a hundred, as on good days."""
    if zlib.crc32(card.encode()) % 100 == 0:
        raise DeclinedError(f"card {card} has expired")


async def authorize(card, cents, is_down):
    """Stand for a request to the gateway."""
    await asyncio.sleep(0.001)
    if is_down:
        raise DeclinedError(f"gateway timed out after 1 ms: card {card}, {cents} cents")
