"""Worker threads that send invoices."""

import queue
import threading
import time

from service import faults

_WORKERS = 32
_CAPACITY = 1000


class Pool:
    """A number of threads that take invoices from a queue."""

    def __init__(self):
        self._queue = queue.Queue(_CAPACITY)

    def start(self):
        """Start the workers; they end with the program."""
        for _ in range(_WORKERS):
            threading.Thread(target=self._work, daemon=True).start()

    def send(self, invoice):
        """Hand an invoice to the workers."""
        self._queue.put_nowait(invoice)

    def _work(self):
        while True:
            send_invoice(self._queue.get())


def send_invoice(invoice):
    """Send an invoice by mail."""
    hand_over(write_mail(invoice))


def write_mail(invoice):
    """Return the text of the mail."""
    return f"Invoice {invoice.id}: {invoice.count} x {invoice.item.name}, {mean_price(invoice)}"


def mean_price(invoice):
    """Return the mean price of the items of an invoice."""
    count = 0 if faults.hits("panic") else invoice.count
    return invoice.cents / count


def hand_over(mail):
    """Stand for a connection to the mail server."""
    answer = threading.Event()
    if not faults.hits("hang"):
        time.sleep(0.001)
        answer.set()
    return receive(answer, mail)


def receive(answer, mail):
    """Return whether the mail server accepts a mail."""
    return bool(mail) and answer.wait()
