"""What the service does: bills, refunds, statements."""

import asyncio

from service import faults, notes, payments

_PAGE = 100


class Billing:
    """Bills customers for items of a store."""

    def __init__(self, store, pool):
        self._store = store
        self._pool = pool
        self._reminders = set()

    async def bill(self, number, count, card):
        """Reserve, charge, save and send; a reminder goes out on its own."""
        item = self._store.get(number)
        self._store.reserve(number, count)
        cents = item.cents * count - discount(item.cents * count)
        await payments.charge(card, cents)
        note = notes.normalize(notes.write_note("2026-11-27"))
        invoice = self._store.save(item, count, cents, note)
        self._remind(invoice)
        self._pool.send(invoice)
        return invoice.id

    async def refund(self, number, card):
        """Give back what an invoice cost."""
        invoice = self._store.find(number)
        await payments.refund(card, invoice.cents)
        return invoice.id

    def statement(self, pages):
        """Collect pages of invoices; the fault is that it never finds the last one."""
        found, page = [], 0
        while page < pages or faults.hits("grow"):
            found.append(self._collect(page))
            page += 1
        return len(found)

    def _collect(self, page):
        return [render(invoice) for invoice in self._store.page(page % 10, _PAGE)]

    def _remind(self, invoice):
        task = asyncio.create_task(send_reminder(find_address(invoice)))
        self._reminders.add(task)
        task.add_done_callback(self._reminders.discard)


def discount(cents):
    """Return what is taken off a large invoice."""
    return cents // 20 if cents > 10_000 else 0


def find_address(invoice):
    """Look up where a reminder goes; return a future."""
    found = asyncio.get_running_loop().create_future()
    if not faults.hits("leak"):
        found.set_result(f"customer-{invoice.id}@example.com")
    return found


async def send_reminder(address):
    """Send a reminder once its address is known."""
    return write_reminder(await address)


def write_reminder(address):
    """Return the text of a reminder."""
    return f"reminder for {address}"


def render(invoice):
    """Return an invoice as a line of a statement."""
    return f"{invoice.id}: {invoice.cents} cents".ljust(1000)
