"""The faults, and what a bundle of each has to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A fault of the services.

    Attributes:
        name: its switch.
        title: what happens.
        share: share of the calls that go wrong.
        seconds: time for which they do; None: until there is a bundle.
        triggers: triggers of the bundle that it gives, any of them.
        culprits: by service, the function that the triage has to name.
    """

    name: str
    title: str
    share: float
    seconds: float | None
    triggers: tuple[str, ...]
    culprits: Mapping[str, str]


# The last one ends the service.
FAULTS = (
    Fault(
        "decline",
        "the failure rate of one chain rises",
        0.4,
        None,
        ("failure-rate", "new-error"),
        {"shop": "payments.authorize", "billing": "payments.authorize"},
    ),
    Fault(
        "leak",
        "goroutines and tasks pile up",
        1.0,
        None,
        ("tracks", "hang"),
        {"shop": "api.sendReceipt", "billing": "billing.send_reminder"},
    ),
    Fault(
        "spin",
        "a few calls take all CPU time",
        0.3,
        None,
        ("cpu", "p99"),
        {"shop": "pricing.voucher", "billing": "notes.find_date"},
    ),
    Fault(
        "hang",
        "calls never end",
        0.2,
        1.0,
        ("hang",),
        {"shop": "workers.receive", "billing": "pool.receive"},
    ),
    Fault(
        "panic",
        "a panic, an uncaught exception",
        0.2,
        1.0,
        ("panic",),
        {"shop": "api.summarize", "billing": "pool.mean_price"},
    ),
    Fault(
        "grow",
        "the kernel kills the process, out of memory",
        1.0,
        None,
        ("died", "memory"),
        {"shop": "api.(*Server).history", "billing": "billing.Billing.statement"},
    ),
)
