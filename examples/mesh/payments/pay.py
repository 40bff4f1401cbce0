"""The payment of an order: its price is looked up, and its customer notified."""

import notify
import store
from werkzeug.exceptions import BadGateway, HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response


@Request.application
def app(request):
    """Answer a request; an order that cannot be paid is a bad gateway."""
    try:
        if request.method != "POST" or request.path != "/pay":
            raise MethodNotAllowed
        return Response(f"{handle(request.form['order'])}\n")
    except HTTPException as error:
        return Response(f"{error.description}\n", error.code)


def handle(order):
    """Pay an order and return its price."""
    try:
        price = store.get(order)
        notify.send(order, price)
    except (store.UnknownOrderError, notify.RefusedError) as error:
        raise BadGateway(str(error)) from error
    return price
