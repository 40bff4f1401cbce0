"""Notifications of customers by the external service mailer."""

import http.client
import json
import socket

import hosts


class RefusedError(Exception):
    """The mailer has refused a message."""


def send(order, price):
    """Tell the customer of an order what was paid."""
    connection = _Connection("mailer", 80)
    try:
        connection.request("POST", "/send", json.dumps({"order": order, "price": price}))
        response = connection.getresponse()
        reason = response.read().decode().strip()
    finally:
        connection.close()
    if response.status != http.HTTPStatus.ACCEPTED:
        raise RefusedError(f"mailer: {reason}")


class _Connection(http.client.HTTPConnection):
    """Connection to a service by its name, as a cluster's DNS would let it."""

    def connect(self):
        host, _, port = hosts.address(self.host).rpartition(":")
        self.sock = socket.create_connection((host, int(port)))
