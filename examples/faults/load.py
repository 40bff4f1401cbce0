"""Load generator: load.py ADDRESS SECONDS, with 60 requests a second of four kinds."""

import http.client
import random
import sys
import threading
import time
from urllib.parse import urlencode

_CLIENTS = 6
_RATE = 60
_TIMEOUT_S = 10


def choose_request() -> str:
    """Return the target of a request: half of them order, the others ask, refund and report."""
    kind = random.random()
    card = random.randrange(10_000)
    if kind < 0.5:
        query = {"item": random.randrange(500), "count": random.randint(1, 3), "card": card}
        return "/order?" + urlencode(query)
    if kind < 0.8:
        return "/items?" + urlencode({"text": f"lamp {random.randrange(50)}"})
    if kind < 0.99:
        return "/refund?" + urlencode({"order": random.randint(1, 20), "card": card})
    return "/report?pages=5"


def request(address: str, target: str) -> int:
    """Send one request and return the status of the answer."""
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def run_client(address: str, end: float) -> None:
    """Send requests until the end, whatever the service answers."""
    while time.monotonic() < end:
        begin = time.monotonic()
        try:
            request(address, choose_request())
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        time.sleep(max(0.0, random.uniform(0.5, 1.5) * _CLIENTS / _RATE - time.monotonic() + begin))


def main() -> None:
    """Run the clients."""
    end = time.monotonic() + float(sys.argv[2])
    clients = [
        threading.Thread(target=run_client, args=(sys.argv[1], end)) for _ in range(_CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


if __name__ == "__main__":
    main()
