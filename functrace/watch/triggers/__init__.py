"""Triggers: conditions over the windows of a process. One module per kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functrace.watch.triggers.call_rate import CallRate, CallRateSettings
from functrace.watch.triggers.cpu import CpuSettings, cpu
from functrace.watch.triggers.died import Died, DiedSettings
from functrace.watch.triggers.failure_rate import FailureRate, FailureRateSettings
from functrace.watch.triggers.finding import Finding, Trigger, TriggerSettings
from functrace.watch.triggers.hang import Hang, HangSettings
from functrace.watch.triggers.memory import MemorySettings, memory
from functrace.watch.triggers.new_error import NewError, NewErrorSettings
from functrace.watch.triggers.p99 import P99, P99Settings
from functrace.watch.triggers.panic import Panic, PanicSettings
from functrace.watch.triggers.slow_call import SlowCall, SlowCallSettings
from functrace.watch.triggers.thread_count import ThreadsSettings, threads
from functrace.watch.triggers.track_count import TracksSettings, tracks

__all__ = ["KINDS", "Finding", "Kind", "Trigger", "TriggerSettings"]


@dataclass(frozen=True)
class Kind:
    """Kind of triggers.

    Attributes:
        group: "resources", "chains" or "end".
        settings: its keys.
        make: returns the trigger of one process.
    """

    group: str
    settings: type[TriggerSettings]
    make: Callable[[Any], Trigger]


# By name, in the order of guilt: if several are true of one fault, the first gives its bundle.
KINDS = {
    "panic": Kind("chains", PanicSettings, Panic),
    "died": Kind("end", DiedSettings, Died),
    "failure-rate": Kind("chains", FailureRateSettings, FailureRate),
    "new-error": Kind("chains", NewErrorSettings, NewError),
    "hang": Kind("chains", HangSettings, Hang),
    "slow-call": Kind("chains", SlowCallSettings, SlowCall),
    "p99": Kind("chains", P99Settings, P99),
    "tracks": Kind("resources", TracksSettings, tracks),
    "memory": Kind("resources", MemorySettings, memory),
    "threads": Kind("resources", ThreadsSettings, threads),
    "cpu": Kind("resources", CpuSettings, cpu),
    "call-rate": Kind("chains", CallRateSettings, CallRate),
}
