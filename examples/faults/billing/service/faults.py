"""Switches that break the service."""

import random

# decline: the payment gateway times out
# leak:    a reminder waits for an address that never comes
# hang:    the mail server never answers
# spin:    a note takes the parser of dates exponential time
# panic:   an invoice without lines
# grow:    a statement holds the whole history in memory
_shares = dict.fromkeys(("decline", "leak", "hang", "spin", "panic", "grow"), 0.0)


def set_share(name: str, share: float) -> None:
    """Set the share of calls that the named fault affects, from 0 to 1."""
    if name not in _shares or not 0 <= share <= 1:
        raise ValueError(f"no fault {name!r} with a share of {share}")
    _shares[name] = share


def hits(name: str) -> bool:
    """Return whether the fault affects this call."""
    return random.random() < _shares[name]
