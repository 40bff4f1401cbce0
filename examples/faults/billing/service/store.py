"""Customers, items and invoices, in memory."""

from dataclasses import dataclass, replace

_ITEMS = 500
_MAX_INVOICES = 1_000_000


class SoldOutError(LookupError):
    """A reservation exceeds the stock."""


@dataclass(frozen=True)
class Item:
    """An article of the shop."""

    id: int
    name: str
    cents: int
    stock: int


@dataclass(frozen=True)
class Invoice:
    """What somebody has to pay."""

    id: int
    item: Item
    count: int
    cents: int
    note: str


class Store:
    """Items, each fiftieth of which is sold out, and the latest invoices."""

    def __init__(self):
        self._items = [make_item(number) for number in range(_ITEMS)]
        self._invoices = {}
        self._next = 0

    def get(self, number):
        """Return an item."""
        if not 0 <= number < _ITEMS:
            raise LookupError(f"no item {number}")
        return self._items[number]

    def search(self, text):
        """Return the items whose name contains a text, cheapest first."""
        found = [item for item in self._items if text in item.name]
        return sorted(found, key=lambda item: item.cents)

    def reserve(self, number, count):
        """Take items out of the stock."""
        item = self.get(number)
        if item.stock < count:
            raise SoldOutError(f"item {number} is sold out")
        self._items[number] = replace(item, stock=item.stock - count)

    def save(self, item, count, cents, note):
        """Save an invoice; the oldest ones are forgotten."""
        self._next += 1
        invoice = Invoice(self._next, item, count, cents, note)
        self._invoices[invoice.id] = invoice
        self._invoices.pop(invoice.id - _MAX_INVOICES, None)
        return invoice

    def find(self, number):
        """Return an invoice."""
        if number not in self._invoices:
            raise LookupError(f"no invoice {number}")
        return self._invoices[number]

    def page(self, number, size):
        """Return some of the latest invoices."""
        last = self._next - number * size
        return [self._invoices[each] for each in range(max(1, last - size), last + 1) if each]


def make_item(number):
    """Return an item; its number says what it is."""
    stock = 0 if number % 50 == 49 else 1 << 40
    return Item(number, f"lamp {number}", 900 + 37 * number, stock)
