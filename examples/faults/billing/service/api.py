"""Routes of the service."""

from service import faults
from service.billing import Billing


class Api:
    """Handlers of requests."""

    def __init__(self, store, pool):
        self._store = store
        self._billing = Billing(store, pool)

    def routes(self):
        """Return the handlers by path."""
        return {
            "/items": self.search,
            "/order": self.order,
            "/refund": self.refund,
            "/report": self.report,
            "/fault": self.fault,
        }

    async def search(self, query):
        """Return the first items that match."""
        return [item.name for item in self._store.search(query["text"])[:10]]

    async def order(self, query):
        """Bill somebody."""
        return await self._billing.bill(int(query["item"]), int(query["count"]), query["card"])

    async def refund(self, query):
        """Refund an invoice."""
        return await self._billing.refund(int(query["order"]), query["card"])

    async def report(self, query):
        """Return the length of a statement."""
        return self._billing.statement(int(query["pages"]))

    async def fault(self, query):
        """Break the service."""
        faults.set_share(query["name"], float(query["share"]))
        return query["name"]
