"""Notes on invoices, and the dates in them."""

import re

from service import faults

# A group that repeats what repeats: a long text that almost matches takes exponential time.
_DATES = re.compile(r"(\d+[-./]?)+ paid")


def find_date(text):
    """Return the date in a note, or an empty text."""
    found = _DATES.search(text)
    return found[0] if found else ""


def write_note(invoice_date):
    """Return the note of an invoice."""
    if faults.hits("spin"):
        return "1" * 19 + "!"
    return f"{invoice_date} paid"


def normalize(text):
    """Return a note without what customers need not see."""
    return find_date(text).strip(" .") or "unpaid"
