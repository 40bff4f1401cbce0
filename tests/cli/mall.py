"""Traces of three services, one process each: a gateway, payments, and the store that both read.

An edge proxy in front of them passes requests on. Every third payment fails in the store; the mail
server is not recorded and refuses.
"""

from __future__ import annotations

from pathlib import Path

from tests.tracefile.services import STARTED, Service, ServiceTrack

US = 1000
EDGE, GATEWAY, PAYMENTS, STORE = 0xE, 0xA, 0xB, 0xC
SKEW = 7_000_000_000
"""what the clock of the store's host is ahead of the others"""


def write(folder: Path, payments: int = 6) -> Path:
    """Write the traces into a folder, and return it."""
    folder.mkdir(exist_ok=True)
    edge = Service("edge", EDGE, pid=11, host="web1")
    gateway = Service("gateway", GATEWAY, pid=12, host="web1")
    pay = Service("payments", PAYMENTS, pid=13, host="web1")
    store = Service("store", STORE, pid=14, host="db1", started=STARTED + SKEW)
    tracks = [service.track() for service in (edge, gateway, pay, store)]
    tracks[1].enter("main.main", 0)
    serving = gateway.track(US, parent=1, starter="main.main")
    for number in range(payments):
        _payment(number, (tracks[0], serving, tracks[2], tracks[3]))
    tracks[1].leave("main.main", (payments + 1) * 1000 * US)
    for service in (edge, gateway, pay, store):
        service.write(folder)
    return folder


def clamped(folder: Path) -> Path:
    """Write a trace whose clock drifts: no difference to the edge's clock suits both requests."""
    late = Service("late", 0xD, pid=15, host="web1", started=STARTED - 5 * US)
    track = late.track()
    for number, at in ((1, 21 * US), (2, 1520 * US)):
        track.begin_inbound(f"POST /late{number}", at, number, ft=(EDGE, 2 * number))
        track.end(f"POST /late{number}", at + US, status=200)
    return late.write(folder, "clamped")


def _payment(number: int, tracks: tuple[ServiceTrack, ...]) -> None:
    edge, gateway, pay, store = tracks
    fails = number % 3 == 2
    at = number * 1000 * US + 10 * US
    last = number * 10

    edge.begin_inbound("POST /checkout", at, 2 * number + 1)
    edge.begin_outbound(
        "POST gateway/checkout",
        at + 10 * US,
        2 * number + 2,
        inbound=2 * number + 1,
        ids=_ids(number, 1),
    )
    gateway.begin_inbound(
        "POST /checkout",
        at + 30 * US,
        2 * number + 1,
        ids=_ids(number, 1),
        ft=(EDGE, 2 * number + 2),
    )
    gateway.enter("main.checkout", at + 40 * US)
    gateway.begin_outbound(
        "POST payments/pay",
        at + 60 * US,
        2 * number + 2,
        inbound=2 * number + 1,
        ids=_ids(number, 2),
    )
    pay.begin_inbound(
        "POST /pay", at + 100 * US, last + 1, ids=_ids(number, 3), ft=(GATEWAY, 2 * number + 2)
    )
    pay.enter("pay.handle", at + 110 * US)
    pay.begin_outbound(
        "grpc store.Store/Get",
        at + 120 * US,
        last + 2,
        inbound=last + 1,
        protocol=2,
        ids=_ids(number, 4),
    )
    store.begin_inbound(
        "grpc store.Store/Get", at + 150 * US, number + 1, protocol=2, ids=_ids(number, 4)
    )
    store.enter("store.Get", at + 160 * US)
    error = "item is locked" if fails else ""
    store.leave("store.Get", at + 260 * US, error=error)
    code = 13 if fails else 0
    store.end(
        "grpc store.Store/Get",
        at + 270 * US,
        status=code,
        grpc=True,
        error="INTERNAL" if fails else "",
    )
    pay.end(
        "grpc store.Store/Get",
        at + 300 * US,
        status=code,
        grpc=True,
        error="INTERNAL" if fails else "",
    )
    if not fails:
        pay.enter("pay.notify", at + 310 * US)
        pay.begin_outbound(
            "POST mail.example/send", at + 320 * US, last + 3, inbound=last + 1, ids=_ids(number, 5)
        )
        pay.end(
            "POST mail.example/send", at + 340 * US, status=503, error="503 Service Unavailable"
        )
        pay.leave("pay.notify", at + 350 * US, error="mail: 503 Service Unavailable")
    pay.leave("pay.handle", at + 400 * US, error=error)
    status = 500 if fails else 200
    text = "500 Internal Server Error" if fails else ""
    pay.end("POST /pay", at + 410 * US, status=status, error=text)
    gateway.end("POST payments/pay", at + 450 * US, status=status, error=text)
    gateway.leave("main.checkout", at + 460 * US, error=text)
    gateway.end("POST /checkout", at + 470 * US, status=status, error=text)
    edge.end("POST gateway/checkout", at + 500 * US, status=status, error=text)
    edge.end("POST /checkout", at + 510 * US, status=status, error=text)


def _ids(number: int, span: int) -> tuple[str, str]:
    return f"{0xABC000 + number:032x}", f"{100 * number + span:016x}"
